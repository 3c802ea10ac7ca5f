"""The network of a bundle that options choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..runtime.bundle import Bundle

target_option = click.option(
    "--target", metavar="NAME", help="The code for this target, of a bundle for several."
)
length_option = click.option(
    "--length", type=int, metavar="N", help="The network for this length, of a bundle of several."
)


def open_selected(path: str, target: str | None, length: int | None) -> Bundle:
    """The bundle, or of it the network for one target or length.

    Raises:
        NiwakiError: it cannot be opened, or has no such network.
    """
    from ..runtime.bundle import open_bundle

    opened = open_bundle(path)
    if target is not None:
        opened = opened.for_target(target)
    return opened if length is None else opened.at(length)
