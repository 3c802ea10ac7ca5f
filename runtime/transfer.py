"""Arrays to a device and back, without a copy where the device reads the host's memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from niwaki.signature import DTYPES, TensorSpec

from .arrays import is_shareable


class Transfer:
    """Moves arrays to and from `device`, which computes in the host's memory if `shares_memory`."""

    def __init__(self, device: Any, shares_memory: bool) -> None:
        import iree.runtime as iree
        from iree.runtime.array_interop import map_dtype_to_element_type

        self._iree = iree
        self._device = device
        self._shares_memory = shares_memory
        dtypes = map(np.dtype, DTYPES)
        self._element_types = {dtype: map_dtype_to_element_type(dtype) for dtype in dtypes}
        usage, memory = iree.BufferUsage, iree.MemoryType
        self._input_usage = int(usage.DEFAULT) | int(usage.MAPPING)
        self._staging_usage = int(usage.TRANSFER_TARGET) | int(usage.MAPPING_SCOPED)
        self._host_memory = int(memory.HOST_LOCAL) | int(memory.DEVICE_VISIBLE)

    def to_device(self, array: np.ndarray) -> Any:
        """A view of `array` that a function takes; it is read where it lies if that can be."""
        if self._shares_memory and is_shareable(array):
            buffer = self._device.allocator.import_host_allocation(
                array, memory_type=self._host_memory, allowed_usage=self._input_usage
            )
            element_type = self._element_types[array.dtype]
            return self._iree.HalBufferView(buffer, array.shape, element_type)
        return self._copy_to_device(array)

    def copied(self, array: np.ndarray) -> Carried:
        """A copy of `array` in memory of the device's own."""
        return Carried(self._copy_to_device(array), self._device)

    def _copy_to_device(self, array: np.ndarray) -> Any:
        return self._device.allocator.allocate_buffer_copy(
            memory_type=self._iree.MemoryType.DEVICE_LOCAL,
            allowed_usage=self._input_usage,
            device=self._device,
            # Unlike `ascontiguousarray`, this keeps scalars scalars.
            buffer=np.asarray(array, order="C"),
            element_type=self._element_types[array.dtype],
        )

    def to_host(self, view: Any, spec: TensorSpec) -> np.ndarray:
        """The array that a function gave, as `spec` describes it."""
        buffer = view.get_buffer()
        if not self._shares_memory:
            # While memory of a GPU stays mapped, IREE gives it to other buffers as well: later
            # calls would write into this output, and read what they should not.
            mapped = self._copy_to_host(buffer).map()
            return np.array(mapped.asarray(spec.shape, spec.kind))
        # IREE's own `asarray` takes five times as long.
        array: np.ndarray = np.ndarray(spec.shape, spec.kind, buffer.map())
        return np.asarray(_Output(array, self._device))

    def carried(self, view: Any) -> Carried:
        """What a function gave, left where it is."""
        return Carried(view, self._device)

    def _copy_to_host(self, buffer: Any) -> Any:
        iree, device = self._iree, self._device
        size = buffer.byte_length()
        staging = device.allocator.allocate_buffer(
            memory_type=self._host_memory, allowed_usage=self._staging_usage, allocation_size=size
        )
        semaphore = device.create_semaphore(0)
        before, after = (iree.HalFence.create_at(semaphore, value) for value in (0, 1))
        device.queue_copy(buffer, staging, wait_semaphores=before, signal_semaphores=after)
        after.wait()
        return staging


class Carried:
    """A tensor that stays on its device between two calls.

    Attributes:
        view: what functions on this device take.
    """

    def __init__(self, view: Any, device: Any) -> None:
        self.view = view
        self._device = device

    def __del__(self) -> None:
        self.view = None  # before its device, see `_Output`


class _Output:
    """Owner of an output's memory, kept alive by the array that is made of it.

    Holds on to the device as well, because a buffer released after its device crashes the process.
    """

    def __init__(self, array: np.ndarray, device: Any) -> None:
        # The C form of `__array_interface__`: half the time.
        self.__array_struct__ = array.__array_struct__
        self._array: np.ndarray | None = array
        self._device = device

    def __del__(self) -> None:
        # The order in which attributes go is the interpreter's business; this one must go first.
        self._array = None
