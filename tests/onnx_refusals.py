"""Why tests that ONNX ships are refused: what the message says, and the reason."""

from __future__ import annotations

import re

REFUSALS = {
    r"is .*, which is not supported: (export the model in float32|use one of)|"
    r"output has unsupported type|attribute: round_mode": "element types "
    "that networks do not have, among them bfloat16, float64, float8 and text",
    r"got .* of shape 0|of dimension \d is dynamic|split dimension of the input \(1\)|"
    r"makes \[3, 4, 0\]": "tensors of no elements: a declared size of 0 stands for an open one",
    r"of float64 is not supported": "IREE has some functions in float32 only",
    r"is no tensor": "sequences and optional values as inputs",
    r"is of opset [0-6], ": "training ops and classical learning, of other domains, and opset 1",
    r"is of domain 'ai\.onnx": "preview ops",
    r"is quantised|draws random numbers|in training mode": "inference in float only",
    r"works on (sequences|text)|decodes images": "tensors of numbers only",
    r"returns as many values as the data says|depends on the data or is not known": "static shapes",
    r"raises integers to powers that are floats": "which runtimes compute in floats of some kind",
    r"computes with uint(32|64), which": "means and roots of unsigned numbers",
    r"collects a result of each|in one branch and as": "no sizes that data says",
    r"is computed when the network runs, and decides a size or an axis": "sizes must be constant",
    r"op '(DeformConv|ImageDecoder|MaxRoiPool|MaxUnpool|NonMaxSuppression|"
    r"RoiAlign|Scan|Adagrad|Adam|Momentum)' .*is not supported": "ops that are not compiled",
    r"'(align_corners|tf_crop_and_resize)' and a scale|crops by 'tf_crop_and_resize'|"
    r"change no size|auto_pad and dilations": "runtimes and ONNX compute it differently",
}


def reason(message: str) -> str:
    """Why a model is refused with `message`; empty where the list does not know."""
    return next((why for said, why in REFUSALS.items() if re.search(said, message)), "")
