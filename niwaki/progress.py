"""How far a compilation has come, told to who wants to know."""

from __future__ import annotations


class Progress:
    """Hears what happens, and says nothing: who shows it overrides the methods.

    They are called often, also while the IR is being changed, so they must be quick and not fail.
    """

    def begin(self, stages: int) -> None:
        """So many stages follow."""

    def stage(self, name: str) -> None:
        """The next stage begins."""

    def layer(self, name: str) -> None:
        """The stage has come to a layer."""
