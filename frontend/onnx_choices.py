"""Attributes of ONNX ops that are words, and which words there are: schemas do not list them."""

from __future__ import annotations

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import OnnxGraph, describe

_ANY_OP = {
    "auto_pad": "NOTSET SAME_LOWER SAME_UPPER VALID",
    "padding_mode": "border reflection zeros",
}
_SCATTERED = {"reduction": "add max min mul none"}
_LOSS = {"reduction": "mean none sum"}
_WORDS = {
    "BitShift": {"direction": "LEFT RIGHT"},
    "DepthToSpace": {"mode": "CRD DCR"},
    "GRU": {"direction": "bidirectional forward reverse"},
    "Gelu": {"approximate": "none tanh"},
    "GridSample": {"mode": "bicubic bilinear cubic linear nearest"},
    "LSTM": {"direction": "bidirectional forward reverse"},
    "NegativeLogLikelihoodLoss": _LOSS,
    "Pad": {"mode": "constant edge reflect wrap"},
    "RNN": {"direction": "bidirectional forward reverse"},
    "Resize": {
        "mode": "cubic linear nearest",
        "coordinate_transformation_mode": "align_corners asymmetric half_pixel "
        "half_pixel_symmetric pytorch_half_pixel tf_crop_and_resize tf_half_pixel_for_nn",
        "keep_aspect_ratio_policy": "not_larger not_smaller stretch",
        "nearest_mode": "ceil floor round_prefer_ceil round_prefer_floor",
    },
    "ScatterElements": _SCATTERED,
    "ScatterND": _SCATTERED,
    "SoftmaxCrossEntropyLoss": _LOSS,
    "SpaceToDepth": {"mode": "CRD DCR"},
    "TensorScatter": {"mode": "circular linear"},
    "Upsample": {"mode": "bilinear linear nearest"},
}


def check_words(graph: OnnxGraph, node: onnx.NodeProto) -> None:
    """Raise NiwakiError for a word of `node` that ONNX does not have: rules know no others."""
    known = {**_ANY_OP, **_WORDS.get(node.op_type, {})}
    for item in node.attribute:
        if item.type != onnx.AttributeProto.STRING or item.name not in known:
            continue
        word, words = item.s.decode(), known[item.name].split()
        if word not in words:
            raise NiwakiError(
                f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset}): its "
                f"attribute {item.name!r} is {word!r}, not one of {', '.join(words)}"
            )
