"""What is shown while a network is pruned: a progress bar, epochs, and rates of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from niwaki.printable import printable

from .pruner import LayerReport

MOST_EPOCHS = 8  # that the table shows


@dataclass(frozen=True)
class EpochReport:
    """What an epoch gave.

    Attributes:
        epoch: from 1 on.
        phase: ``prune`` or ``retrain``.
        loss: mean of the steps, without what the method adds.
        score: what the user's evaluation returned; None without one.
        residual: of the method, see `Method.residual`.
        rate: all weights of pruned layers / kept ones.
    """

    epoch: int
    phase: str
    loss: float
    score: float | None
    residual: float | None
    rate: float

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        score = "" if self.score is None else f"{self.score:.4g}"
        residual = "" if self.residual is None else f"{self.residual:.3f}"
        return str(self.epoch), self.phase, f"{self.loss:.4f}", score, residual, f"{self.rate:.2f}x"


def progress_bar(console: Console) -> Progress:
    """Description, bar, steps that are done and the time that is left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


class Display:
    """A live view in a terminal, one line an epoch elsewhere, nothing when it is off."""

    def __init__(
        self, epochs: int, steps: int, shown: bool, console: Console | None = None
    ) -> None:
        self._console = console or Console(stderr=True, quiet=not shown)
        self._epochs: list[EpochReport] = []
        self._layers: Sequence[LayerReport] = ()
        self._progress = progress_bar(self._console)
        self._task = self._progress.add_task("pruning", total=epochs * steps)
        self._live: Live | None = None

    def __enter__(self) -> Display:
        if self._console.is_terminal and not self._console.quiet:
            self._live = Live(console=self._console, get_renderable=self._view)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """One line."""
        say(text, self._console)

    def step(self, done: int, loss: float) -> None:
        """So many steps are done, of all epochs."""
        self._progress.update(self._task, completed=done, description=f"loss {loss:.4f}")

    def epoch(self, report: EpochReport, layers: Sequence[LayerReport]) -> None:
        """An epoch is done."""
        self._epochs.append(report)
        self._layers = layers
        if self._live is None:
            names = ("epoch", "", "loss", "score", "residual", "rate")
            cells = zip(names, report.cells(), strict=True)
            self.say(", ".join(f"{name} {cell}".strip() for name, cell in cells if cell))

    def _view(self) -> Group:
        epochs = Table("epoch", "phase", "loss", "score", "residual", "rate")
        for report in self._epochs[-MOST_EPOCHS:]:
            epochs.add_row(*report.cells())
        # Layers last: of a deep network a terminal shows the first ones.
        return Group(epochs, self._progress, layer_table(self._layers))


def say(text: str, console: Console | None = None) -> None:
    """One line, on the error stream if there is no console."""
    (console or Console(stderr=True)).print(
        printable(text), highlight=False, markup=False, soft_wrap=True
    )


def layer_table(layers: Sequence[LayerReport]) -> Table:
    """Scheme and rate of each layer."""
    table = Table("layer", "scheme", "kept", "of", "rate")
    for layer in layers:
        kept, total = f"{layer.kept:,}", f"{layer.total:,}"
        # As Text, because a name may hold [brackets], which rich would take for markup.
        name, scheme = Text(printable(layer.name)), Text(layer.scheme)
        table.add_row(name, scheme, kept, total, f"{layer.rate:.2f}x")
    return table
