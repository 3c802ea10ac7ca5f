"""Times of networks that run side by side, and what runs them in ONNX Runtime."""

from __future__ import annotations

import io
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# What a network says to one input.
Answer = Callable[[np.ndarray], np.ndarray]
WARMUP = 20  # inputs


def in_onnxruntime(
    network: nn.Module, example: Tensor, dynamic_shapes: Any = None
) -> Answer | None:
    """The network in ONNX Runtime on one thread; None where it is not installed.

    Args:
        dynamic_shapes: as of `torch.export.export`, if inputs have other shapes than the example.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  PyTorch's exporter needs it
    except ImportError:
        return None
    program = torch.export.export(network, (example,), dynamic_shapes=dynamic_shapes)
    file = io.BytesIO()
    # PyTorch would warn of packages that this needs none of, and of what it calls itself.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(program, (), dynamo=True, verbose=False).save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), options)
    (name,) = (given.name for given in session.get_inputs())
    return lambda value: session.run(None, {name: value})[0]


def milliseconds(answers: Sequence[Answer], inputs: Sequence[np.ndarray]) -> list[float]:
    """Medians of the time that each takes for an input, in turns."""
    times: list[list[float]] = [[] for _ in answers]
    for value in [*inputs[:WARMUP], *inputs]:
        for answer, taken in zip(answers, times, strict=True):
            begin = time.perf_counter()
            answer(value)
            taken.append(1e3 * (time.perf_counter() - begin))
    return [float(np.median(taken[min(WARMUP, len(inputs)) :])) for taken in times]
