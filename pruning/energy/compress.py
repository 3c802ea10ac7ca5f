"""A network as settings of its layers make it: pruned, quantised, and put back afterwards.

Weights go by magnitude and nothing is trained. Batch-norms take the mean and variance of a few
training batches anew, which costs one forward pass and gives back most of what quantisation and
pruning shift (https://arxiv.org/abs/1906.04721 corrects biases to the same end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from niwaki.arguments import given
from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from ..batches import evaluating, moved, parts, run_example
from ..channel_graph import NORMS
from ..layer_inputs import first_input
from ..layer_names import some
from ..layers import Layer, check_model
from ..scheme import parse_scheme
from ..selection import Target, misfit
from .counting import Counts
from .model import LayerWork
from .quantise import QuantiseInput, best_range, quantise_weight
from .settings import FLOAT_BITS, LayerSetting, Settings

BATCHES = 8  # of calibration, at most
SAMPLES = 4096  # of a layer's input, from each batch


class Compressor:
    """A copy of a network that settings can be applied to, one after another.

    Args:
        calibration: batches (inputs, targets) of training data; the first 8 are used, and targets
            are not.

    Attributes:
        model: the copy.
        counts: of its layers.

    Raises:
        NiwakiError: there are no batches, or as `Counts` does.
    """

    def __init__(self, model: nn.Module, calibration: Iterable[Any]) -> None:
        check_model(model)
        if not isinstance(calibration, Iterable):
            raise NiwakiError(
                "calibration is batches of training data, as a DataLoader has them, not "
                f"{given(calibration)}"
            )
        self.model = copy_module(model).eval()
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        inputs = (parts(batch)[0] for batch in islice(calibration, BATCHES))
        self._inputs = [moved(values, device) for values in inputs]
        if not self._inputs:
            raise NiwakiError("calibration has no batches: give a few of the training data")
        self.counts = Counts(self.model, self._inputs[0])
        self._layers = [counts.layer for counts in self.counts.layers]
        self._samples = self._collect()
        self._original = {k: v.clone() for k, v in self.model.state_dict().items()}
        self._range = cache(lambda name, bits: best_range(self._samples[name], bits))

    @property
    def names(self) -> list[str]:
        """Of all layers."""
        return [layer.name for layer in self._layers]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Behind the block `model` is as it was given, whatever was done to its weights."""
        try:
            yield
        finally:
            self.model.load_state_dict(self._original)

    @contextmanager
    def applied(self, settings: Settings) -> Iterator[list[LayerWork]]:
        """`model` is pruned and quantised inside the block, and as it was behind it.

        Gives what its layers do then.

        Raises:
            NiwakiError: settings are not those of all layers, or a scheme does not fit.
        """
        self._check(settings)
        with self.restored(), ExitStack() as hooks:
            for layer in self._layers:
                _prune(layer, settings[layer.name])
            _close(self.counts)
            # Before few bits make zeros of other weights, which nobody knows the places of.
            works = self.counts.works(settings)
            for layer in self._layers:
                _quantise(layer, settings[layer.name].weight_bits)
                for hook in self._quantise_inputs(layer, settings[layer.name]):
                    hooks.callback(hook.remove)
            self._renew_norms()
            yield works

    def _check(self, settings: Mapping[str, LayerSetting]) -> None:
        unknown = settings.keys() - set(self.names)
        missing = [name for name in self.names if name not in settings]
        if unknown or missing:
            raise NiwakiError(
                f"settings are for other layers: unknown are {some(sorted(unknown))}, "
                f"missing {some(missing)}; give those of the same network"
            )

    def _quantise_inputs(self, layer: Layer, setting: LayerSetting) -> list[RemovableHandle]:
        if setting.activation_bits == FLOAT_BITS:
            return []
        hook = QuantiseInput(self._range(layer.name, setting.activation_bits))
        return [owner.register_forward_pre_hook(hook, with_kwargs=True) for owner in layer.owners]

    def _renew_norms(self) -> None:
        norms = [module for module in self.model.modules() if isinstance(module, NORMS)]
        norms = [norm for norm in norms if norm.running_var is not None]
        if not norms:
            return
        with evaluating(self.model), ExitStack() as momenta:
            for norm in norms:
                momenta.callback(setattr, norm, "momentum", norm.momentum)
                norm.reset_running_stats()
                norm.momentum = None  # the mean of all batches
                norm.training = True
            for inputs in self._inputs:
                run_example(self.model, inputs)

    def _collect(self) -> dict[str, Tensor]:
        """Values of the inputs of each layer, drawn at random."""
        generator = torch.Generator().manual_seed(0)
        found: dict[str, list[Tensor]] = {layer.name: [] for layer in self._layers}

        def watch(name: str) -> Any:
            def note(module: nn.Module, inputs: Sequence[Any], named: Mapping[str, Any]) -> None:
                values = first_input(inputs, named).detach().flatten()
                drawn = torch.randint(len(values), (SAMPLES,), generator=generator)
                found[name].append(values[drawn.to(values.device)])

            return note

        handles = [
            owner.register_forward_pre_hook(watch(layer.name), with_kwargs=True)
            for layer in self._layers
            for owner in layer.owners
        ]
        try:
            with evaluating(self.model):
                for inputs in self._inputs:
                    run_example(self.model, inputs)
        finally:
            for handle in handles:
                handle.remove()
        return {name: torch.cat(values) for name, values in found.items()}


def _prune(layer: Layer, setting: LayerSetting) -> None:
    """By magnitude."""
    if setting.rate == 1:
        return
    target = Target(layer, parse_scheme(setting.scheme), setting.rate)
    problem = misfit(target)
    if problem:
        raise NiwakiError(f"{layer.name}: {problem}")
    array = layer.array(layer.weight)
    mask = target.scheme.fit(array).mask(array, setting.rate, layer.groups)
    layer.weight.data.masked_fill_(~layer.tensor(mask), 0)


def _quantise(layer: Layer, bits: int) -> None:
    """Each filter at its own scale."""
    filters = layer.filters_first(layer.weight.data)
    layer.weight.data.copy_(layer.as_stored(quantise_weight(filters, bits)))


def _close(counts: Counts) -> None:
    """Zero what else writes removed channels: biases, norms, depthwise convolutions."""
    for unit, gone in counts.closed():
        for parameter in unit.module.parameters():
            parameter.data[gone] = 0
