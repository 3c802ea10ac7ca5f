"""How each layer is pruned and quantised, so that a network takes least energy as it is trained.

    found = search_energy(model, train_loader, accuracy, trials=200)
    found.best(most_lost=0.017).settings    # scheme, rate and bits of each layer
    found.network(found.best(0.017))        # pruned and quantised, in floats

After https://arxiv.org/abs/2312.15322: fine and coarse pruning in one network, with widths of
weights and activations, searched by a composite agent without any retraining.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from rich.console import Console
from torch import nn

from niwaki.arguments import check_kind, check_number, check_whole, given
from niwaki.errors import NiwakiError

from ..batches import evaluate as evaluated
from ..batches import first_line
from ..progress import progress_bar
from .agent import Agent
from .choices import Choice, Choices, EnergySpace
from .compress import Compressor
from .model import DENSE, EnergyModel
from .results import EnergySearch, EnergyTrial
from .samplers import Outcome, Random, Same, Sampler

SAMPLERS = ("agent", "random", "same")
MOST_SEED = 2**63 - 1


def search_energy(
    model: nn.Module,
    calibration: Iterable[Any],
    evaluate: Callable[[nn.Module], float],
    *,
    trials: int = 200,
    most_lost: float = 0.017,
    sampler: str = "agent",
    space: EnergySpace | None = None,
    energy: EnergyModel | None = None,
    seed: int = 0,
    progress: bool = True,
) -> EnergySearch:
    """Search how to prune and quantise each layer; nothing is retrained.

    The network must consist of convolutions and linear layers, as far as it has weights with two
    dimensions or more. It stays as it is: a copy is pruned and quantised.

    Args:
        calibration: batches (inputs, targets) of training data, of which the first 8 are used: for
            ranges of activations and for batch-norms.
        evaluate: of the network in eval mode, e.g. its accuracy on data that is held out; larger is
            better. A trial in which it raises or gives no finite number fails, and the search goes
            on.
        most_lost: what may be lost, in units of `evaluate`. The agent looks around it, from a
            quarter of it to twice as much.
        sampler: ``agent``; ``random``, any choice for each layer; or ``same``, any choice for all
            layers alike.
        space: what is tried.
        energy: of operations and bytes.
        progress: show a progress bar on the error stream, where that is a terminal.

    Raises:
        NiwakiError: an argument is not what it must be, a layer is of another kind, the network as
            it is cannot be evaluated, or all trials failed.
    """
    check_whole("trials", trials, 1)
    check_number("most_lost", most_lost, "a number above 0, as 0.017", 0)
    if not most_lost:
        raise NiwakiError("most_lost is a number above 0, as 0.017, not 0")
    if sampler not in SAMPLERS:
        raise NiwakiError(f"sampler is one of {', '.join(SAMPLERS)}, not {given(sampler)}")
    if not callable(evaluate):
        raise NiwakiError(
            f"evaluate is a function of the network that returns a number, not {given(evaluate)}"
        )
    check_whole("seed", seed, 0)
    if seed > MOST_SEED:
        raise NiwakiError(f"seed is a whole number up to {MOST_SEED}, not {seed}")
    space, energy = space or EnergySpace(), energy or EnergyModel()
    check_kind("space", space, EnergySpace, "an EnergySpace")
    check_kind("energy", energy, EnergyModel, "an EnergyModel")
    compressor = Compressor(model, calibration)
    choices = Choices(space, compressor.counts, energy)
    try:
        with compressor.restored():
            score = evaluated(evaluate, compressor.model)
    except Exception as failure:  # whatever the user's function raises
        raise NiwakiError(
            f"evaluate fails for the network as it is: {first_line(failure)}"
        ) from failure
    if not math.isfinite(score):
        raise NiwakiError(f"evaluate gives {score} of the network as it is: mend it first")

    bench = _Bench(compressor, choices, energy, evaluate, score)
    proposer = _sampler(sampler, choices, seed, most_lost, trials)
    console = Console(stderr=True, quiet=not progress)
    bar = progress_bar(console)
    task = bar.add_task("searching", total=trials)
    done: list[EnergyTrial] = []
    # Elsewhere than in a terminal it would be a line of nothing.
    with bar if console.is_terminal else nullcontext():
        for _ in range(trials):
            chosen = proposer.propose()
            trial = bench.run(chosen)
            proposer.learn(chosen, bench.outcome(trial))
            done.append(trial)
            fit = [t.saved for t in done if t.lost <= most_lost]
            text = f"{max(fit):.0%} saved" if fit else "searching"
            bar.update(task, advance=1, description=text)
    if all(trial.error for trial in done):
        raise NiwakiError(f"all trials failed, the last one since {done[-1].error}: mend evaluate")
    return EnergySearch(compressor, score, bench.dense, done)


def _sampler(name: str, choices: Choices, seed: int, most_lost: float, trials: int) -> Sampler:
    if name == "agent":
        return Agent(choices, seed, most_lost, trials)
    return Random(choices, seed) if name == "random" else Same(choices, seed)


class _Bench:
    """Where trials are run."""

    def __init__(
        self,
        compressor: Compressor,
        choices: Choices,
        energy: EnergyModel,
        evaluate: Callable[[nn.Module], float],
        score: float,
    ) -> None:
        self._compressor, self._choices, self._energy = compressor, choices, energy
        self._evaluate, self._score = evaluate, score
        dense = dict.fromkeys(choices.names, DENSE)
        self.dense = energy.layers(compressor.counts.works(dense), dense)
        self._total = sum(layer.total for layer in self.dense)

    def run(self, chosen: Sequence[Choice]) -> EnergyTrial:
        """Of these choices."""
        settings = self._choices.settings(chosen)
        score, error = math.nan, ""
        with self._compressor.applied(settings) as works:
            layers = self._energy.layers(works, settings)
            try:
                score = evaluated(self._evaluate, self._compressor.model)
            except Exception as failure:  # whatever the user's function raises
                error = first_line(failure)
        if not error and not math.isfinite(score):
            error = f"evaluate returned {score}"
        saved = 1 - sum(layer.total for layer in layers) / self._total
        lost = math.inf if error else self._score - score
        return EnergyTrial(settings, layers, saved, score, lost, error)

    def outcome(self, trial: EnergyTrial) -> Outcome:
        """What a sampler learns of it."""
        pairs = zip(self.dense, trial.layers, strict=True)
        saved = [(dense.total - layer.total) / self._total for dense, layer in pairs]
        return Outcome(saved, trial.lost)
