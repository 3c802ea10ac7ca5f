"""SVCCA between a dense network and others, layer by layer.

    rows = compare(dense, {"pattern 8x": pruned, "control": other_seed}, images.split(100))

Pruned networks of the same accuracy may see the world in another way, or in the same. The control,
a dense network from another seed, tells how far two trainings alone lead apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from niwaki.errors import NiwakiError

from ..layer_names import named_layers
from .activations import FeatureLayer, layer_outputs, layers_with_features
from .cca import Doubles, Features, directions, likeness

CONTROL = "control"  # the network that plots draw apart
DENSE = "dense"
MOST_CHANCE = 0.5  # above it samples are called few
BYTES = 4  # of a feature
MEMORY = 2**30  # bytes of features that are kept at a time


@dataclass(frozen=True)
class Similarity:
    """One layer of one network beside the same of the dense one.

    Attributes:
        layer: its name.
        network: what the other network is called.
        similarity: mean of the canonical correlations, from 0 to 1; None if there is no variance.
        chance: what features that have nothing in common would reach at most, on the mean, where
            samples are independent. Positions of one image are not, quite.
        samples: inputs, or positions of them.
        dense_directions, directions: that hold the variance of the dense layer, and of the other.
        remark: why the numbers tell little; empty where they do.
    """

    layer: str
    network: str
    similarity: float | None
    chance: float
    samples: int
    dense_directions: int
    directions: int
    remark: str = ""


def compare(
    dense: nn.Module,
    networks: Mapping[str, nn.Module],
    batches: Any,
    *,
    layers: Sequence[str] = ("*",),
    samples: int = 4096,
    variance: float = 0.99,
) -> list[Similarity]:
    """How alike the outputs of layers are; of each layer a row for each network, in their order.

    Layers are convolutions, linear layers and recurrent modules, before what follows them; those
    that the networks do not call are left out. Convolutions have a sample at each position. The
    networks stay as they are.

    Args:
        networks: with layers of the same names, of as many filters or not. The one that is called
            ``control`` is drawn apart.
        batches: of inputs, or ``(inputs, targets)`` as for `niwaki.prune`; one tensor is one batch.
        layers: names with ``*`` and ``?``, or ``type:Conv2d`` for a class of modules.
        samples: of a layer at most, or little more; the same positions in each run.
        variance: share of it that directions hold.

    Raises:
        NiwakiError: nothing to compare, networks whose layers differ, or features that are not
            finite.
    """
    models = {DENSE: dense, **networks}
    if not networks or DENSE in networks:
        raise NiwakiError("give networks to compare with the dense one, by other names than dense")
    if samples < 2:
        raise NiwakiError(f"SVCCA needs 2 samples or more, not {samples}")
    batches = [batches] if isinstance(batches, Tensor) else batches
    most = -(-samples // _count(batches))
    rows = []
    for group in _passes(_chosen(models, layers), samples * len(models)):
        for layer, features in layer_outputs(models, group, batches, most).items():
            rows += _compare(layer, features, variance)
    if not rows:
        raise NiwakiError("the networks call none of these layers: there is nothing to compare")
    return rows


def _compare(layer: str, features: Mapping[str, Features], variance: float) -> list[Similarity]:
    bases: dict[str, Doubles] = {}
    for name, values in features.items():
        try:
            bases[name] = directions(values, variance)
        except NiwakiError as error:
            raise NiwakiError(f"{layer} of {name}: {error}") from None
    dense = bases.pop(DENSE)
    rows = []
    for name, basis in bases.items():
        found = likeness(dense, basis)
        sizes = (found.first, found.second)
        remark = ""
        if found.mean is None:
            dead = " and ".join(n for n, k in zip((DENSE, name), sizes, strict=True) if not k)
            remark = f"dead in {dead}: the outputs are the same for all inputs"
        elif found.chance > MOST_CHANCE:
            remark = (
                f"{len(basis)} samples are few for {sizes[0]} and {sizes[1]} directions: features "
                f"with nothing in common reach {found.chance:.2f}; give more inputs, or samples"
            )
        rows.append(Similarity(layer, name, found.mean, found.chance, len(basis), *sizes, remark))
    return rows


def _count(batches: Any) -> int:
    try:
        count = len(batches)
    except TypeError:
        raise NiwakiError(
            "the number of batches must be known: give a DataLoader or list of batches"
        ) from None
    if count < 1:
        raise NiwakiError("there are no inputs to compare networks on: give at least one batch")
    return count


def _chosen(models: Mapping[str, nn.Module], patterns: Sequence[str]) -> list[FeatureLayer]:
    """The dense network's layers of these names; all networks have them."""
    chosen = named_layers(layers_with_features(models[DENSE]), patterns)
    for network, model in models.items():
        names = {layer.name for layer in layers_with_features(model)}
        for layer in chosen:
            if layer.name not in names:
                raise NiwakiError(
                    f"{layer.name}: {network} has no such layer: compare networks whose layers "
                    "have the same names, or choose layers"
                )
    return chosen


def _passes(layers: Sequence[FeatureLayer], rows: int) -> list[list[str]]:
    """Layers whose features are kept at the same time; each group costs a pass over the inputs."""
    groups: list[list[str]] = [[]]
    total = 0
    for layer in layers:
        size = BYTES * rows * layer.features
        if groups[-1] and total + size > MEMORY:
            groups.append([])
            total = 0
        groups[-1].append(layer.name)
        total += size
    return groups
