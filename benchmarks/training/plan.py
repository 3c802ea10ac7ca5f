"""The experiments of docs/accuracy.md, those of most worth first."""

from __future__ import annotations

from functools import partial

from .experiment import DENSE, Experiment
from .tasks import TASKS

SEEDS = range(3)
# Those of pruning and retraining, if nothing else is said.
EPOCHS = {
    "fashion_mnist": 2,
    "small_fashion": 8,
    "cifar10": 12,
    "half_vgg16": 5,
    "spoken_digits": 32,
    "spoken_digits_wide": 32,
    "questions": 8,
}

# 10.67 is what blocks can have: 8 of 64 columns and 6 of 8 rows.
DIGITS_RATE = 10.67

SCHEMES = ("unstructured", "pattern", "block_punched", "block_column_row", "kernel_group")


def _run(
    task: str,
    scheme: str,
    rate: float,
    method: str,
    seed: int = 0,
    epochs: int | None = None,
    budget: str = "layer",
    distill: float = 0.0,
) -> Experiment:
    epochs, learning_rate = epochs or EPOCHS[task], TASKS[task].pruning_rate
    return Experiment(task, scheme, rate, method, epochs, seed, learning_rate, budget, distill)


_fashion = partial(_run, "fashion_mnist")
_small = partial(_run, "small_fashion")
_cifar = partial(_run, "cifar10")
_vgg = partial(_run, "half_vgg16")
_digits = partial(_run, "spoken_digits")
_wide = partial(_run, "spoken_digits_wide")
_questions = partial(_run, "questions")


# What examples/checkpoints.py has, by its names there.
SHIPPED = {
    "fashion_pattern": _fashion("pattern", 8, "gradual"),
    "fashion_block_punched": _fashion("block_punched", 8, "gradual"),
    "digit_gru": _digits("block_column_row", DIGITS_RATE, "magnitude", 0),
}

PLAN = tuple(
    dict.fromkeys(
        (
            *SHIPPED.values(),
            *(_digits(DENSE, 1, "magnitude", seed) for seed in SEEDS),
            *(_digits("block_column_row", DIGITS_RATE, "magnitude", seed) for seed in SEEDS),
            # Long enough for so few weights to learn what many did.
            *(
                _digits(scheme, rate, method, seed, epochs=80)
                for seed in SEEDS
                for scheme, rate, method in (
                    (DENSE, 1, "magnitude"),
                    ("block_column_row", DIGITS_RATE, "gradual"),
                )
            ),
            *(
                _small(scheme, rate, method, seed)
                for scheme, rate in (("block_punched", 16), ("pattern", 8))
                for seed in SEEDS
                for method in ("magnitude", "gradual", "admm", "reweighted")
                if (scheme, method) != ("pattern", "reweighted")
            ),
            # Few updates onto sets that do not shrink.
            *(
                _small("block_punched", 16, "admm(rho=1e-3, stages=4, updates=1, ramp=0)", seed)
                for seed in SEEDS
            ),
            *(_small(DENSE, 1, "magnitude", seed) for seed in SEEDS),
            *(_small("filter", 8, "magnitude", seed) for seed in SEEDS),
            *(
                _wide(scheme, rate, method, seed)
                for seed in SEEDS
                for scheme, rate, method in (
                    (DENSE, 1, "magnitude"),
                    ("block_column_row", DIGITS_RATE, "magnitude"),
                    ("block_column_row", DIGITS_RATE, "gradual"),
                )
            ),
            # The data's owner retrains what was pruned without data.
            *(
                _fashion(scheme, rate, method, epochs=epochs)
                for epochs in (2, 4)
                for scheme, rate, method in (
                    ("block_punched", 4, "layerwise"),
                    (DENSE, 1, "magnitude"),
                )
            ),
            *(
                _small(scheme, rate, "gradual", seed, budget="weights")
                for scheme, rate in (("block_punched", 16), ("pattern", 8))
                for seed in SEEDS
            ),
            # With half the epochs the dense network has more to gain still.
            _cifar(DENSE, 1, "magnitude", epochs=6),
            _cifar("pattern", 2.25, "admm", epochs=6),
            _cifar(DENSE, 1, "magnitude"),
            _cifar("pattern", 2.25, "gradual(ramp=0.25)"),
            _cifar("pattern", 2.25, "admm(ratio=0.25)", distill=0.5),
            *(
                _cifar(scheme, 4, method, budget="weights")
                for method in ("admm", "gradual")
                for scheme in ("pattern", "block_punched")
            ),
            _cifar("filter", 4, "magnitude"),
            *(
                _vgg(scheme, rate, method, seed, budget=budget)
                for seed in SEEDS
                for scheme, rate, method, budget in (
                    (DENSE, 1, "magnitude", "layer"),
                    ("pattern", 8, "admm", "weights"),
                    ("block_punched", 8, "admm", "weights"),
                    ("pattern", 2.25, "gradual(ramp=0.25)", "layer"),
                    ("filter", 8, "magnitude", "layer"),
                )
            ),
            _fashion("pattern", 2.25, "gradual(ramp=0.25)", epochs=4),
            *(_fashion(scheme, rate, "gradual") for rate in (4, 8, 16) for scheme in SCHEMES),
            *(_fashion("filter", rate, "magnitude") for rate in (8, 4, 16)),
            *(
                _fashion(scheme, 8, method)
                for scheme in ("block_punched", "pattern")
                for method in ("admm", "magnitude")
            ),
            *(
                _fashion(scheme, 8, "gradual", budget="weights")
                for scheme in ("block_punched", "pattern")
            ),
            _fashion("block_punched", 8, "reweighted"),
            _fashion("n_m", 2, "gradual"),
            _fashion("n_m", 4, "gradual"),
            *(
                _digits("block_column_row", DIGITS_RATE, "gradual", seed, budget=budget)
                for budget in ("weights", "layer")
                for seed in SEEDS
            ),
            *(_digits("block_column_row", DIGITS_RATE, "admm", seed) for seed in SEEDS),
            *(
                _cifar(scheme, 8, "admm", budget="weights")
                for scheme in ("pattern", "block_punched")
            ),
            *(
                _small("pattern", 2.25, method, seed)
                for method in ("magnitude", "gradual")
                for seed in SEEDS
            ),
            *(_questions(DENSE, 1, "magnitude", seed) for seed in SEEDS),
            *(
                _questions("block_punched", rate, "gradual", seed)
                for seed in SEEDS
                for rate in (4, 8)
            ),
            *(_fashion(DENSE, 1, "magnitude", seed) for seed in SEEDS),
            *(
                _fashion(scheme, 8, "gradual", seed, budget=budget)
                for budget in ("weights", "layer")
                for seed in SEEDS
                for scheme in ("block_punched", "pattern")
            ),
        )
    )
)
