"""Costs of a network's layers, from the network to answers: `priced`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from niwaki.arguments import check_path
from niwaki.errors import NiwakiError
from niwaki.frontend.input_choices import AS_DECLARED, InputChoices
from niwaki.layer_costs import DENSE
from niwaki.progress import Progress
from niwaki.pruning import parse_scheme
from niwaki.runtime.bundle import open_bundle
from niwaki.targets import Target, get_target
from niwaki.tuning.signature import machine_name

from .observation import TURNS, Observation, Observer, emulated, from_file, on_host
from .oracle import Oracle
from .store import Store, store_path
from .subject import Subject, opened
from .trials import observe, trials
from .tuned import Tuned, tuned_here

# Schemes that layers are priced in unless others are named: from single weights to whole filters.
SCHEMES = ("unstructured", "pattern", "block_punched", "filter")
ESTIMATE, MEASURE, EMULATE = "estimate", "measure", "emulate"


@contextmanager
def priced(
    model: Any,
    example_inputs: Any = None,
    *,
    target: str = "host",
    source: str | None = None,
    schemes: Sequence[str] = SCHEMES,
    precision: str = "f32",
    example_kwargs: Mapping[str, Any] | None = None,
    weights: Any = None,
    choices: InputChoices = AS_DECLARED,
    times: Mapping[Path, Path] | None = None,
    costs: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Iterator[Oracle]:
    """What layers of a network cost in any setting, while the block runs.

    Args:
        model, example_inputs, target, precision, example_kwargs, weights: as of `niwaki.compile`.
        source: ``estimate``, by the compiler's cost model alone; ``measure``, corrected by what the
            network takes on this machine in some settings, of random weights; ``emulate``, by
            modelled cycles of a phone's core. None: ``measure`` for the host, else ``estimate``.
        schemes: in which it is measured; others are asked for as well, and are less exact.
        times: brought from a device, instead of a source: for each bundle that ran there the file
            with what `niwaki bench --layers --json` printed.
        costs: file for answers; None for the one in the user's folder for caches.
        progress: hears what is being done.

    Raises:
        NiwakiError: as of `niwaki.compile`; or the target has no estimates, cannot be measured
            here, or there is no such scheme.
    """
    machine, progress = get_target(target), progress or Progress()
    source = source or (MEASURE if target == "host" else ESTIMATE)
    if costs is not None:
        check_path("costs", costs)
    observer = _observer(ESTIMATE if times else source, machine)
    for scheme in schemes:
        if scheme != DENSE:
            parse_scheme(scheme)
    progress.begin(3)
    progress.stage("read the network")
    with opened(
        model,
        example_inputs,
        target=target,
        precision=precision,
        example_kwargs=example_kwargs,
        weights=weights,
        choices=choices,
    ) as subject:
        if not subject.ops:
            raise NiwakiError("the network has no layers with weights to price")
        keeper = f"{source} {machine_name(machine)} {precision}"
        place = f"{target} {precision}"
        with (
            closing(Store(Path(costs or store_path()), place, keeper)) as store,
            ExitStack() as own,
        ):
            if times:
                brought = _brought(subject, times)
                oracle = Oracle(subject, store, {bundle: {} for bundle in brought}, brought)
            elif observer is None:
                oracle = Oracle(subject, store)
            else:
                progress.stage("measure the network")
                wanted = trials(Oracle(subject, store).layers, schemes)
                # What is counted is the same each time.
                turns = TURNS if source == MEASURE else 1
                seen = observe(subject, store, wanted, observer, progress, turns)
                tuned = own.enter_context(tuned_here(machine)) if source == MEASURE else Tuned()
                oracle = Oracle(subject, store, wanted, seen, tuned)
            with closing(oracle):
                yield oracle


def _observer(source: str, target: Target) -> Observer | None:
    """Who measures.

    Raises:
        NiwakiError: nobody can, for this target.
    """
    if target.backend != "cpu":
        raise NiwakiError(
            f"target '{target.name}' has no costs: kernels for GPUs have no estimates; choose a "
            "CPU target, or measure whole networks with niwaki bench"
        )
    if source == ESTIMATE:
        return None
    if source == MEASURE and target.name == "host":
        return on_host
    if source == EMULATE and "aarch64" in target.architecture:
        return emulated
    known = (ESTIMATE, MEASURE, EMULATE)
    if source not in known:
        raise NiwakiError(f"unknown source of costs '{source}': choose one of {', '.join(known)}")
    where = "this machine, with target host" if source == MEASURE else "arm64 targets"
    raise NiwakiError(f"target '{target.name}' has no costs by '{source}', which is for {where}")


def _brought(subject: Subject, times: Mapping[Path, Path]) -> dict[str, Observation]:
    """What bundles took on a device.

    Raises:
        NiwakiError: a file cannot be read, or has times of another network.
    """
    found = {}
    for bundle, file in times.items():
        seen = from_file(file)(open_bundle(bundle))
        if not seen.layers.keys() & subject.ops.keys():
            raise NiwakiError(f"{bundle} has none of the network's layers: it is of another one")
        found[str(bundle)] = seen
    return found
