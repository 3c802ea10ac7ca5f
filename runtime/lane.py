"""One sequence of calls: a device and the module's state on it, for one thread at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.signature import TensorSpec

from .abi import LOADING_ERRORS, cannot_load, find_function
from .bundle import Bundle
from .device import create_device
from .transfer import Transfer

SCOPE = "model"  # of the module's parameters


class Lane:
    """The module of `bundle`, loaded onto a device of its own.

    On a CPU, `weights`, the bundle's or a copy of them, are read where they lie.

    Raises:
        NiwakiError: IREE cannot load the module, or it is not the one that the manifest describes.
    """

    def __init__(self, driver: Any, bundle: Bundle, weights: memoryview) -> None:
        import iree.runtime as iree

        manifest = bundle.manifest
        self._iree = iree
        device = create_device(driver, manifest.driver)
        instance = iree.VmInstance()
        module, self._function = find_function(bundle, instance)
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
        self._path, self._outputs = bundle.path, manifest.signature.outputs
        self._transfer = Transfer(device, shares_memory=manifest.driver == "local")

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run the function once. Inputs have been checked: IREE crashes on some wrong ones.

        Raises:
            NiwakiError: a result is not what the manifest says.
        """
        iree = self._iree
        arguments = iree.VmVariantList(len(inputs))
        results = iree.VmVariantList(len(self._outputs))
        try:
            for array in inputs:
                arguments.push_ref(self._transfer.to_device(array).ref)
            self._context.invoke(self._function, arguments, results)
            outputs = [
                self._output(results.get_as_object(i, iree.HalBufferView), spec)
                for i, spec in enumerate(self._outputs)
            ]
        finally:
            # A traceback would keep these buffers, perhaps for longer than their device.
            del arguments, results
        # A network may return its input, and then an output would be the caller's own array.
        return [
            output.copy() if any(np.may_share_memory(output, array) for array in inputs) else output
            for output in outputs
        ]

    def _output(self, view: Any, spec: TensorSpec) -> np.ndarray:
        if difference := _difference(view, spec):
            del view  # as above: the traceback has it
            raise NiwakiError(f"{self._path}: output {spec} {difference}; compile the model again")
        return self._transfer.to_host(view, spec)


def _difference(view: Any, spec: TensorSpec) -> str:
    """What a result has instead; empty if it is as `spec` says.

    The module has promised it, but reading beyond a result's memory must not hang on a promise.
    """
    size = math.prod(spec.shape) * np.dtype(spec.dtype).itemsize
    if tuple(view.shape) == spec.shape and view.byte_length == size:
        return ""
    shape = "x".join(map(str, view.shape)) or "()"
    return f"came with shape {shape} and {view.byte_length} bytes"
