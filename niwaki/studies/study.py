"""The loop of a search: workers train points, and what ended is on the disk before all else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from niwaki.errors import NiwakiError
from niwaki.progress import Progress

from .functions import Outcome
from .limits import Limits
from .proposals import Proposals
from .results import Results, Trial
from .space import Point, short
from .study_file import StudyFile
from .workers import Workers

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial


class Study:
    """Trials, and where they are kept.

    A point whose scores are known is not trained again: its trial ends with them at once.
    """

    def __init__(
        self, proposals: Proposals, limits: Limits, file: StudyFile | None, progress: Progress
    ) -> None:
        """Go on from what `file` has.

        Raises:
            NiwakiError: its trials are others'.
        """
        self._proposals, self._limits = proposals, limits
        self._file, self._progress = file, progress
        self._known: dict[str, dict[str, float]] = {}  # points -> scores
        self._running: dict[int, optuna.Trial] = {}
        self._ended = 0
        for trial in file.trials if file else ():
            self._take_up(trial)

    def run(self, workers: Workers, trials: int) -> None:
        """Go on until so many trials have ended.

        Raises:
            NiwakiError: no point is within the limits, a cost fails, workers cannot begin, or
                scores have other names than before.
        """
        self._progress.begin(max(0, trials - self._ended))
        self._tell(trials)
        while self._ended < trials:
            while len(self._running) < min(workers.size, trials - self._ended):
                self._begin(workers)
            if self._running:
                number, outcome = workers.next()
                self._end(self._running.pop(number), outcome)
            self._tell(trials)

    def results(self) -> Results:
        """What has been found so far."""
        from optuna.trial import TrialState

        trials = self._proposals.trials
        ended = [one for one in trials if one.state in (TrialState.COMPLETE, TrialState.FAIL)]
        return Results(
            tuple(map(self._shown, ended)),
            sum(one.state == TrialState.PRUNED for one in trials),
            {
                limit.name: None if limit.most is None else float(limit.most)
                for limit in self._limits.limits
            },
        )

    def _begin(self, workers: Workers) -> None:
        """Give the next point to a worker."""
        trial = self._proposals.next()
        point = self._proposals.point(trial)
        if (scores := self._known.get(_key(point))) is not None:
            self._end(trial, Outcome(scores))
            return
        if not workers.at_once:
            self._keep(self._proposals.trials[trial.number])
        self._running[trial.number] = trial
        workers.submit(trial.number, point)

    def _end(self, trial: optuna.Trial, outcome: Outcome) -> None:
        """Keep what became of a trial."""
        trial.set_user_attr("seconds", outcome.seconds)
        if outcome.scores:
            self._check_names(outcome.scores)
            trial.set_user_attr("scores", outcome.scores)
            self._known[_key(self._proposals.point(trial))] = outcome.scores
        else:
            trial.set_user_attr("reason", outcome.reason)
        self._keep(self._proposals.end(trial, outcome.scores))
        self._ended += 1

    def _keep(self, trial: FrozenTrial) -> None:
        """On the disk, with the points that were rejected meanwhile."""
        if self._file:
            self._file.note([*self._proposals.rejected, trial])
        self._proposals.rejected.clear()

    def _take_up(self, trial: FrozenTrial) -> None:
        from optuna.trial import TrialState

        if not self._proposals.take_up(trial):
            path = self._file.path if self._file else ""
            raise NiwakiError(
                f"trial {trial.number} of {path} is not of this study: name another file"
            )
        if trial.state == TrialState.COMPLETE:
            self._known[_key(self._proposals.point(trial))] = trial.user_attrs["scores"]
        if trial.state in (TrialState.COMPLETE, TrialState.FAIL):
            self._ended += 1

    def _check_names(self, scores: dict[str, float]) -> None:
        if both := scores.keys() & set(self._limits.names):
            raise NiwakiError(
                f"evaluate gave a score and a limit has the same name, '{min(both)}': call one of "
                "them otherwise"
            )
        before = next(iter(self._known.values()), scores)
        if list(before) != list(scores):
            raise NiwakiError(
                f"evaluate gave {', '.join(scores)} where the study has {', '.join(before)}: give "
                "the same scores each time, or begin another study"
            )

    def _shown(self, trial: FrozenTrial) -> Trial:
        notes = trial.user_attrs
        return Trial(
            trial.number,
            self._proposals.point(trial),
            notes["costs"],
            notes.get("scores", {}),
            str(notes.get("reason", "")),
            notes.get("seconds", 0.0),
            self._limits.allow(notes["costs"]),
        )

    def _tell(self, trials: int) -> None:
        self._progress.stage(f"trial {self._ended} of {trials}")
        objectives = [next(iter(scores.values())) for scores in self._known.values()]
        if objectives:
            self._progress.layer(f"best {short(max(objectives))}")


def _key(point: Point) -> str:
    return json.dumps(point)
