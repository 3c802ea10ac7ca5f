#!/usr/bin/env bash
# Points that a program enqueues in an Optuna study with NSGA-II (`study.enqueue_trial`, then `ask`).
# One would guess: they are individuals like any others, and good ones become parents.
# True: where every value is enqueued, the sampler's lazy part never runs, so that the trial gets no
# generation and is never selected; a study whose points all come so (repaired ones, known good ones)
# stays random search without a word. Reading `trial.relative_params` after `ask` makes them count.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet optuna==4.9.0
"$folder/venv/bin/python" - <<'PY'
import optuna

KEY = "NSGAIISampler:generation"
print("optuna", optuna.__version__)
optuna.logging.set_verbosity(optuna.logging.ERROR)


def generations(read: bool) -> set:
    study = optuna.create_study(sampler=optuna.samplers.NSGAIISampler(population_size=10, seed=0))
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}
    for number in range(60):
        study.enqueue_trial({"x": number / 60})
        trial = study.ask(space)
        if read:
            trial.relative_params
        study.tell(trial, trial.params["x"])
    return {trial.system_attrs.get(KEY) for trial in study.trials}


as_it_is, read = generations(False), generations(True)
print("generations of 60 enqueued points:", as_it_is)
print("the same with relative_params read:", read)
assert as_it_is == {None}
assert read == set(range(6))
PY
