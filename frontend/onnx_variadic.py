"""Ops of any number of inputs, two at a time: torch-mlir stretches only the first two.

Sum(a, b, c)    -->   Add(Add(a, b), c)
Mean(a, b, c)   -->   Div(Add(Add(a, b), c), 3)
"""

from __future__ import annotations

from niwaki.frontend.onnx_steps import Steps


def pair_by_pair(steps: Steps) -> None:
    """The rule for Max, Mean, Min and Sum."""
    kind = steps.node.op_type
    result, *others = steps.node.input
    if kind in ("Max", "Min") and len(others) == 1:
        return
    for other in others:
        result = steps.op(kind if kind in ("Max", "Min") else "Add", result, other)
    if kind == "Mean":
        result = steps.op("Div", result, steps.number(1 + len(others)))
    if not others:
        steps.op("Identity", result)
