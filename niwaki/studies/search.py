"""`niwaki.search`: which point of a space is best, within limits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from niwaki.extras import require
from niwaki.progress import Progress

from .arguments import check_arguments
from .controller import Controller
from .functions import Evaluate, Functions, Given, Source, Train
from .limits import Limit, Limits
from .page import Describe, write_page
from .results import Results
from .space import Space
from .workers import make_workers

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

TRIALS = 100
SEEDS = 2**32  # NumPy's generators, which samplers draw from, have so many


def search(
    space: Space,
    train: Train | None,
    evaluate: Evaluate,
    limits: Sequence[Limit] = (),
    *,
    trials: int = TRIALS,
    sampler: str | Controller | BaseSampler = "tpe",
    storage: str | os.PathLike[str] | None = None,
    workers: int | str = 1,
    seed: int = 0,
    progress: Progress | None = None,
    describe: Describe | None = None,
    page: str | os.PathLike[str] | None = None,
    source: Source | None = None,
) -> Results:
    """Try points of `space`, and find those that are best.

    Points above a limit are never trained, and are no trials. If the first limit has no bound, the
    front of objective against its cost is looked for, otherwise the best point within the limits.

    Args:
        space: a dimension for each name.
        train: makes of a point whatever `evaluate` takes. It runs in a worker; if it fails, so does
            its trial, and the study goes on. None where a point can be evaluated without training.
        evaluate: gives a score, or several by name, higher is better; the first is the objective.
        limits: costs of a point, computed before it is trained.
        trials: those that the study has in the end, with those that `storage` has already.
        sampler: "tpe", "evolution", "random", "controller", "gp", "cmaes"; a `Controller`, or a
            sampler of Optuna.
        storage: an SQLite file, in which each trial is as soon as it ended. A study that was
            stopped goes on from there: what was at work then is begun again.
        workers: how many processes train side by side, "auto" for one on each core, or the address
            of a Ray cluster, "ray://head:10001".
        seed: the same seed gives the same points, with one worker.
        progress: hears how far the study has come.
        describe: the layers of a point's network, for its picture on the page.
        page: an HTML file about the results.
        source: where workers get `train` and `evaluate` from, if they cannot be pickled.

    Raises:
        NiwakiError: the space, a limit or an option is wrong, no point is within the limits, the
            file holds another study, or workers cannot begin.
    """
    require("tune", "a search needs Optuna")
    functions, bounds = Functions(train, evaluate), Limits(limits)
    check_arguments(
        space,
        functions,
        bounds,
        sampler,
        trials=trials,
        seed=seed,
        progress=progress,
        describe=describe,
        storage=storage,
        page=page,
    )
    import optuna

    from .file_lock import used_alone
    from .proposals import Proposals
    from .study import Study
    from .study_file import StudyFile

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with ExitStack() as stack:
        made = make_workers(workers, source or Given(functions), functions)
        pool = stack.enter_context(made)
        file = None
        if storage is not None:
            stack.enter_context(used_alone(Path(storage)))
            file = StudyFile(Path(storage), about(space, bounds), bounds.goals)
            stack.callback(file.close)
        # A study that goes on must not draw the same points again.
        drawn = len(file.trials) if file else 0
        proposals = Proposals(space, bounds, sampler, (seed + drawn) % SEEDS)
        study = Study(proposals, bounds, file, progress or Progress())
        study.run(pool, trials)
    results = study.results()
    if page is not None:
        write_page(results, page, describe)
    return results


def about(space: Space, limits: Limits) -> dict[str, dict[str, str]]:
    """What a study is about: files keep it, and refuse another one."""
    return {
        "space": {name: str(dimension) for name, dimension in space.items()},
        "limits": {name: "a cost" for name in limits.names},
        "goals": {"what is wanted": "the whole front" if limits.two_goals else "the best point"},
    }
