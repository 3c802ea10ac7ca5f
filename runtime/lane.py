"""One sequence of calls: a device and the module's state on it, for one thread at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec

from .abi import LOADING_ERRORS, cannot_load, find_functions
from .arrays import aligned_copy
from .bundle import Bundle
from .device import create_device
from .lengths import longest, networks
from .transfer import Carried, Transfer

SCOPE = "model"  # of the module's parameters


@dataclass(frozen=True)
class _Plan:
    """What a step does with outputs, by their numbers.

    Attributes:
        stays: those that stay on the device.
        shared: others that lie in the memory of one that stays.
    """

    stays: frozenset[int]
    shared: frozenset[int]


class Lane:
    """The module of `bundle`, loaded onto a device of its own.

    On a CPU, `weights`, the bundle's or a copy of them, are read where they lie.

    Raises:
        NiwakiError: IREE cannot load the module, or it is not the one that the manifest describes.
    """

    def __init__(
        self, driver: Any, bundle: Bundle, weights: memoryview, device: Any = None
    ) -> None:
        """Args:
        device: of the driver's; a new one without.
        """
        import iree.runtime as iree

        manifest = bundle.manifest
        self._iree = iree
        device = create_device(driver, manifest.driver) if device is None else device
        instance = iree.VmInstance()
        module, functions = find_functions(bundle, instance)
        parameters = iree.ParameterIndex()
        try:
            parameters.load_from_file_handle(iree.FileHandle.wrap_memory(weights), "irpa")
            modules = [
                iree.create_hal_module(instance, device),
                iree.create_io_parameters_module(instance, parameters.create_provider(scope=SCOPE)),
                module,
            ]
            self._context = iree.VmContext(instance, modules=modules)
        except LOADING_ERRORS as error:
            raise cannot_load(bundle, str(error)) from None
        self._path = bundle.path
        self._networks = {
            length: (functions[length], network.signature.outputs)
            for length, network in networks(manifest).items()
        }
        self._longest = longest(manifest)
        self._transfer = Transfer(device, shares_memory=manifest.driver == "local")
        self._states = frozenset(state.input for state in manifest.states)
        self._plan: _Plan | None = None  # of steps

    def __call__(self, inputs: Sequence[np.ndarray], length: int = 0) -> list[np.ndarray]:
        """Run the network for a length once, the longest without.

        Inputs have been checked: IREE crashes on some wrong ones.

        Raises:
            NiwakiError: a result is not what the manifest says.
        """
        # The network may change its states in place, the caller's arrays never.
        taken = [
            aligned_copy(one) if number in self._states else one
            for number, one in enumerate(inputs)
        ]
        # A network may return its input, and then an output would be the caller's own array, or
        # one that is gone after the call.
        return [
            output.copy() if shares_memory(output, taken) else output
            for output in self._run(taken, frozenset(), length)
        ]

    def run(self, inputs: Sequence[Any], stays: frozenset[int]) -> list[Any]:
        """Run the network once, as it is: outputs may lie in the memory of inputs.

        Args:
            inputs: arrays, and what runs on the same device have left there.
            stays: outputs that are left there, too.
        """
        return self._run(inputs, stays)

    def step(self, inputs: Sequence[Any], carried: Collection[int]) -> list[Any]:
        """As a call, but outputs numbered `carried` stay on the device, to be inputs of others.

        They are `Carried`, or arrays where the network returns its input.
        """
        if self._plan is None:
            self._plan = self._try(inputs, carried)
        frames = self._frames(inputs)
        return [
            output.copy()
            if isinstance(output, np.ndarray)
            and (number in self._plan.shared or shares_memory(output, frames))
            else output
            for number, output in enumerate(self._run(self._adopted(inputs), self._plan.stays))
        ]

    def _try(self, inputs: Sequence[Any], carried: Collection[int]) -> _Plan:
        """Find out, on copies, which outputs are one buffer, of the caller's or of another output.

        IREE gives back the buffer that it got where a network returns an input, and the same one
        twice where it returns a value twice.
        """
        copies = [aligned_copy(one) for one in inputs]
        tried, frames = self._run(self._adopted(copies), frozenset()), self._frames(copies)
        stays = frozenset(i for i in carried if not shares_memory(tried[i], frames))
        states = [tried[i] for i in stays]
        others = (i for i in range(len(tried)) if i not in stays)
        return _Plan(stays, frozenset(i for i in others if shares_memory(tried[i], states)))

    def _frames(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """The caller's own arrays among inputs."""
        return [one for number, one in enumerate(inputs) if number not in self._states]

    def _adopted(self, inputs: Sequence[Any]) -> list[Any]:
        """With states in memory of the device, where they may be changed and stay."""
        return [
            self._transfer.copied(one)
            if number in self._states and isinstance(one, np.ndarray)
            else one
            for number, one in enumerate(inputs)
        ]

    def array(self, value: Any, spec: TensorSpec) -> np.ndarray:
        """What an input or output is, as an array."""
        return self._transfer.to_host(value.view, spec) if isinstance(value, Carried) else value

    def _run(self, inputs: Sequence[Any], stays: frozenset[int], length: int = 0) -> list[Any]:
        iree = self._iree
        function, outputs = self._networks[length or self._longest]
        arguments = iree.VmVariantList(len(inputs))
        results = iree.VmVariantList(len(outputs))
        try:
            for one in inputs:
                view = one.view if isinstance(one, Carried) else self._transfer.to_device(one)
                arguments.push_ref(view.ref)
            self._context.invoke(function, arguments, results)
            return [
                self._output(results.get_as_object(i, iree.HalBufferView), spec, i in stays)
                for i, spec in enumerate(outputs)
            ]
        finally:
            # A traceback would keep these buffers, perhaps for longer than their device.
            del arguments, results

    def _output(self, view: Any, spec: TensorSpec, stays: bool) -> Any:
        if difference := _difference(view, spec):
            del view  # as above: the traceback has it
            raise NiwakiError(f"{self._path}: output {spec} {difference}; compile the model again")
        return self._transfer.carried(view) if stays else self._transfer.to_host(view, spec)


def shares_memory(output: np.ndarray, arrays: Sequence[np.ndarray]) -> bool:
    """Whether an output may lie in the memory of one of `arrays`."""
    return any(np.may_share_memory(output, array) for array in arrays)


def _difference(view: Any, spec: TensorSpec) -> str:
    """What a result has instead; empty if it is as `spec` says.

    The module has promised it, but reading beyond a result's memory must not hang on a promise.
    """
    if tuple(view.shape) == spec.shape and view.byte_length == spec.nbytes:
        return ""
    shape = "x".join(map(str, view.shape)) or "()"
    return f"came with shape {shape} and {view.byte_length} bytes"
