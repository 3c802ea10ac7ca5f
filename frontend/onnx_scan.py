"""Scan, unrolled: its body once for each step. ONNX defines LinearAttention by it.

Scans of a file itself are loops (`onnx_scan_loops.py`).
"""

from __future__ import annotations

import onnx

from niwaki.frontend.onnx_steps import Steps


def unroll(steps: Steps) -> None:
    """The rule for a Scan along the first dimension, forwards."""
    node, body = steps.node, steps.attribute("body")
    count = steps.attribute("num_scan_inputs")
    states, scanned = list(node.input[:-count]), list(node.input[-count:])
    length = steps.graph.type_of(scanned[0]).shape[0]
    for tensor in body.initializer:
        steps.graph.constants[tensor.name] = onnx.numpy_helper.to_array(tensor)
    collected: list[list[str]] = [[] for _ in body.output[len(states) :]]
    for time in range(length):
        items = [steps.take(value, time, axis=0) for value in scanned]
        names = dict(zip((value.name for value in body.input), [*states, *items], strict=True))
        for part in body.node:
            steps.inline(part, names)
        results = [names.get(value.name, value.name) for value in body.output]
        states, outputs = results[: len(states)], results[len(states) :]
        for values, output in zip(collected, outputs, strict=True):
            values.append(steps.op("Unsqueeze", output, steps.constant([0])))
    steps.results = [*states, *(steps.op("Concat", *values, axis=0) for values in collected)]
