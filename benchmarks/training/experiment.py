"""One experiment: train densely, prune, test in PyTorch, compile, test again, make a row."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_sets import data_folder
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

import niwaki
from niwaki.pruning import Distillation, PruningConfig, find_layers, parse_method, select

from .results import lock
from .tasks import TASKS, Split, Task

SMOOTHING = 0.05  # of labels
TEST_BATCH = 500
DENSE = "dense"


@dataclass(frozen=True)
class Experiment:
    """What is trained; equal experiments give equal rows, but for times.

    Attributes:
        task: a key of `TASKS`.
        scheme: of `niwaki.prune`, or ``dense``: trained on for as many epochs and not pruned.
        rate: all weights / kept weights of each pruned layer.
        method: of `niwaki.prune`.
        epochs: of pruning and retraining together, after the dense training.
        seed: of first weights and of the order of the data; the data may depend on it.
        learning_rate: at the start of pruning.
        budget: of `PruningConfig`; ``layer``: each layer has the rate, else all together.
        distill: share in the loss of retraining of a teacher, which is the dense network that was
            trained on for as many epochs.
    """

    task: str
    scheme: str
    rate: float
    method: str
    epochs: int
    seed: int
    learning_rate: float
    budget: str = "layer"
    distill: float = 0.0

    @property
    def dense(self) -> Experiment:
        """The same budget for the network that is not pruned."""
        return Experiment(
            self.task, DENSE, 1, "magnitude", self.epochs, self.seed, self.learning_rate
        )

    @property
    def name(self) -> str:
        """Fit to be a file's name."""
        return "-".join(self._texts().values()).translate(str.maketrans(" /*", "___"))

    @property
    def command(self) -> str:
        """What runs it."""
        words = ["python", "benchmarks/accuracy.py", "run", self.task]
        for option, value in self._texts().items():
            if option != "task":
                words += [f"--{option.replace('_', '-')}", value]
        return shlex.join(words)

    def _texts(self) -> dict[str, str]:
        """4 and 4.0 are the same experiment; what is usual goes without saying."""
        usual = {field.name: field.default for field in fields(self)}
        return {
            key: f"{value:g}" if isinstance(value, float) else str(value)
            for key, value in asdict(replace(self, rate=float(self.rate))).items()
            if value != usual[key]
        }


@dataclass(frozen=True)
class Place:
    """Where experiments read and write.

    Attributes:
        data: the folder of data sets; None: that of NIWAKI_DATA.
        work: a folder for weights and checkpoints, from which killed runs go on.
    """

    data: Path | None
    work: Path


def run(experiment: Experiment, place: Place) -> dict[str, Any]:
    """The experiment's row. A run that was killed goes on where its last epoch ended.

    Raises:
        NiwakiError: no data, or as `niwaki.prune` does.
    """
    task = TASKS[experiment.task]
    split = task.data(data_folder(place.data), experiment.seed)
    dense = train_dense(task, experiment, split, place)
    started = time.monotonic()
    pruned = _pruned(task, experiment, split, dense, place)
    seconds = time.monotonic() - started
    row = {
        "experiment": asdict(experiment),
        "accuracy_before": accuracy(logits(dense, split), split),
        **compiled(pruned, split, place.work / f"{experiment.name}.niwaki"),
        **_rates(task, experiment, pruned),
        "method": str(parse_method(experiment.method)),
        "dense_epochs": task.epochs,
        "train_seconds": round(seconds),
        "command": experiment.command,
        "torch": torch.__version__,
    }
    return row


def train_dense(task: Task, experiment: Experiment, split: Split, place: Place) -> nn.Module:
    """The network before it is pruned, trained once for each seed."""
    name = f"{experiment.task}-{experiment.seed}"
    path = place.work / f"{name}.safetensors"
    torch.manual_seed(experiment.seed)
    network = task.network()
    if task.weights is not None:
        network.load_state_dict(load_file(task.weights))
        return network.eval()
    with lock(path.with_suffix(".lock")):
        if not path.exists():
            first = Experiment(
                experiment.task, DENSE, 1, "magnitude", task.epochs, experiment.seed, task.rate
            )
            network = _pruned(task, first, split, network, place, f"first-{name}")
            save(network, path)
    network.load_state_dict(load_file(path))
    return network.eval()


def save(network: nn.Module, path: Path) -> None:
    """All parameters and statistics, as plain [F, C, KH, KW]."""
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, path)


def _pruned(
    task: Task,
    experiment: Experiment,
    split: Split,
    network: nn.Module,
    place: Place,
    name: str = "",
) -> nn.Module:
    """The network trained as the experiment says, pruned or not."""
    path = place.work / f"{name or experiment.name}.safetensors"
    if path.exists():
        pruned = deepcopy(network)
        pruned.load_state_dict(load_file(path))
        return pruned.eval()
    distillation = None
    if experiment.distill:
        teacher = _pruned(task, experiment.dense, split, network, place).requires_grad_(False)
        distillation = Distillation(experiment.distill, teacher=teacher)
    if split.inputs.dim() == 4:
        network = deepcopy(network).to(memory_format=torch.channels_last)
    torch.manual_seed(experiment.seed)
    with _half(task.half):
        pruned = niwaki.prune(
            network,
            split.train,
            config=_config(task, experiment),
            method=experiment.method,
            epochs=experiment.epochs,
            loss=_loss,
            optimizer=lambda parameters: task.optimizer(parameters, experiment.learning_rate),
            checkpoint=path.with_suffix(".ckpt"),
            distillation=distillation,
        )
    save(pruned, path)
    path.with_suffix(".ckpt").unlink(missing_ok=True)
    return pruned.to(memory_format=torch.contiguous_format).eval()


def _config(task: Task, experiment: Experiment) -> PruningConfig:
    if experiment.scheme == DENSE:
        return PruningConfig("unstructured", 1)
    return PruningConfig(
        experiment.scheme,
        experiment.rate,
        include=task.include,
        exclude=task.exclude,
        budget=experiment.budget,
    )


def _loss(outputs: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(outputs.float(), labels, label_smoothing=SMOOTHING)


@contextmanager
def _half(wanted: bool) -> Iterator[None]:
    # Weights change in each step, so that none may stay in a cache.
    with torch.autocast("cpu", torch.bfloat16, enabled=wanted, cache_enabled=False):
        yield


def logits(network: nn.Module, split: Split) -> Tensor:
    """What the network says to the test's inputs, in float32."""
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        return torch.cat([network(batch) for batch in split.inputs.split(TEST_BATCH)])


def accuracy(logits: Tensor, split: Split) -> float:
    """Share of the test's inputs whose largest logit is at their label."""
    return float((logits.argmax(1) == split.labels).double().mean())


def compiled(network: nn.Module, split: Split, path: Path) -> dict[str, Any]:
    """How well the network does in PyTorch and compiled, and what schemes the compiler finds."""
    network = deepcopy(network).to(memory_format=torch.contiguous_format).eval()
    expected = logits(network, split)
    bundle = niwaki.compile(network, split.inputs[:1], output=path)
    run = niwaki.load(path)
    found = torch.from_numpy(np.concatenate([run(x[None]) for x in split.inputs.numpy()]))
    path.unlink()
    schemes: dict[str, set[str]] = {}
    for layer in bundle.layers:  # a recurrent layer's two matrices share its name
        schemes.setdefault(layer.name, set()).add(layer.scheme)
    return {
        "accuracy": accuracy(expected, split),
        "compiled_accuracy": accuracy(found, split),
        "compiled_differs": int((found.argmax(1) != expected.argmax(1)).sum()),
        "compiled_error": float((found - expected).abs().max()),
        "tested": len(split.labels),
        "schemes": {name: sorted(found) for name, found in schemes.items()},
    }


def _rates(task: Task, experiment: Experiment, network: nn.Module) -> dict[str, Any]:
    """All weights / weights that are not zero: of pruned layers, and of all layers."""
    layers = {layer.name: layer.weight for layer in find_layers(network)}
    pruned = [target.layer.name for target in select(network, _config(task, experiment))]
    kept = {name: int(weight.count_nonzero()) for name, weight in layers.items()}

    def rate(names: list[str]) -> float:
        return round(sum(layers[n].numel() for n in names) / sum(kept[n] for n in names), 3)

    return {
        "achieved_rate": rate(pruned),
        "network_rate": rate(list(layers)),
        "layer_rates": {name: rate([name]) for name in pruned if kept[name]},
    }
