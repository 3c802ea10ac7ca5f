"""One sequence of calls: a device and the module's state on it, for one thread at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .bundle import Bundle
from .device import create_device
from .transfer import Transfer

SCOPE = "model"  # of the module's parameters


class Lane:
    """The module of `bundle`, loaded onto a device of its own.

    On a CPU, `weights`, the bundle's or a copy of them, are read where they lie.

    Raises:
        RuntimeError, ValueError: IREE cannot load the module.
    """

    def __init__(self, driver: Any, bundle: Bundle, weights: memoryview) -> None:
        import iree.runtime as iree

        manifest = bundle.manifest
        self._iree = iree
        device = create_device(driver, manifest.driver)
        instance = iree.VmInstance()
        parameters = iree.ParameterIndex()
        parameters.load_from_file_handle(iree.FileHandle.wrap_memory(weights), "irpa")
        module = iree.VmModule.wrap_buffer(instance, bundle.module)
        modules = [
            iree.create_hal_module(instance, device),
            iree.create_io_parameters_module(instance, parameters.create_provider(scope=SCOPE)),
            module,
        ]
        self._context = iree.VmContext(instance, modules=modules)
        self._function = module.lookup_function(manifest.function)
        if self._function is None:
            raise ValueError(f"it has no function '{manifest.function}'")
        self._outputs = manifest.signature.outputs
        self._transfer = Transfer(device, shares_memory=manifest.driver == "local")

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run the function once. Inputs have been checked: IREE crashes on some wrong ones."""
        iree = self._iree
        arguments = iree.VmVariantList(len(inputs))
        results = iree.VmVariantList(len(self._outputs))
        try:
            for array in inputs:
                arguments.push_ref(self._transfer.to_device(array).ref)
            self._context.invoke(self._function, arguments, results)
            outputs = [
                self._transfer.to_host(results.get_as_object(i, iree.HalBufferView), spec)
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
