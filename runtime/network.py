"""Running a compiled network."""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.signature import Signature, unflatten

from .arguments import bind
from .bundle import Bundle, open_bundle
from .device import check_device, create_driver
from .huge_pages import in_huge_pages
from .lane import Lane
from .placement import polite
from .small_networks import useful_threads


def load(path: str | os.PathLike[str], threads: int = 1, device: str | None = None) -> Network:
    """Load the bundle at `path`, ready to run.

    Args:
        path: a bundle, as `niwaki.compile` writes it.
        threads: CPU threads for one call, at most: a network with so little work that others would
            only cost time stays on the caller's. GPUs ignore it.
        device: ``local`` (CPU) or ``vulkan``; the default is what the bundle was compiled for.

    Raises:
        NiwakiError: the file is no intact bundle, or not one for this machine or device.
    """
    return open_bundle(path).load(threads, device)


class Network:
    """A compiled network: call it with numpy arrays.

    Many threads may call one network. With one CPU thread a call, calls run side by side, up to one
    for each core; otherwise they take turns.

    Attributes:
        bundle: where it comes from.
        threads: CPU threads for one call, at most.
        device: ``local`` or ``vulkan``.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, device: str | None = None) -> None:
        check_device(bundle.manifest, str(bundle.path), device)
        self.bundle = bundle
        self.threads = threads
        self.device = bundle.manifest.driver
        useful = useful_threads(bundle.manifest, threads)
        self._driver = create_driver(self.device, useful)
        self._weights = bundle.weights if self.device != "local" else in_huge_pages(bundle.weights)
        self._has_workers = self.device == "local" and useful > 1
        side_by_side = self.device == "local" and useful == 1
        self._turns = threading.BoundedSemaphore((os.cpu_count() or 1) if side_by_side else 1)
        self._idle: list[Lane] = [self._create_lane()]

    @property
    def signature(self) -> Signature:
        """Inputs and outputs, and how they nest."""
        return self.bundle.manifest.signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The model's outputs, as numpy arrays nested as the model nests them.

        Arguments nest as they did when the model was compiled, or are its flat tensors, all
        positional. Arrays that begin at a multiple of 64 bytes (PyTorch's do; `aligned_empty` makes
        them) are read where they lie, others are copied first. They must not change during the
        call. Outputs are the caller's to keep and change.

        Raises:
            NiwakiError: an input is missing, or has the wrong shape or dtype (nothing is cast).
        """
        arrays = bind(self.signature, args, kwargs)
        with self._turns:
            try:
                lane = self._idle.pop()
            except IndexError:
                lane = self._create_lane()
            # A lane whose call failed is not put back: the next call finds or makes a clean one.
            with polite() if self._has_workers else nullcontext():
                outputs = lane(arrays)
            self._idle.append(lane)
        return unflatten(self.signature.output_tree, outputs)

    def _create_lane(self) -> Lane:
        try:
            return Lane(self._driver, self.bundle, self._weights)
        except (RuntimeError, ValueError) as error:
            from iree.runtime.version import VERSION

            reason = str(error).partition("\n")[0]
            raise NiwakiError(
                f"{self.bundle.path}: IREE {VERSION} cannot load the module that Niwaki "
                f"{self.bundle.manifest.niwaki} compiled ({reason}); compile the model again"
            ) from None

    def __repr__(self) -> str:
        inputs = ", ".join(map(str, self.signature.inputs))
        outputs = ", ".join(map(str, self.signature.outputs))
        return f"<Network {self.bundle.path}: ({inputs}) -> ({outputs})>"
