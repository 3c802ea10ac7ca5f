"""Published ONNX files, as they are and pruned, beside ONNX Runtime on the dense file."""

from __future__ import annotations

from case import Case, Goal
from contender import Contender
from onnx_model import NiwakiOfFile, OnnxRuntimeOfFile, PublishedNetwork
from published_files import PublishedFile

RATE = 8
TEXT_DETECTION = PublishedFile(
    "rapidocr-onnxruntime==1.4.4",
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    {"x": (1, 3, 480, 480)},
    scale=10,
)
# Times faster than ONNX Runtime.
DENSE, PRUNED = 1.25, 3.9


def cases() -> list[Case]:
    dense, pruned = (
        PublishedNetwork(TEXT_DETECTION, "pp-ocrv4-detection", rate) for rate in (1, RATE)
    )
    ours, ours_dense = Contender(NiwakiOfFile(), pruned), Contender(NiwakiOfFile(), dense)
    peer = Contender(OnnxRuntimeOfFile(), dense)
    return [
        Case(
            name="file-pp-ocrv4-detection",
            title=f"PP-OCRv4's detection of text, 480x480, block-punched {RATE}x",
            contenders=(ours, ours_dense, peer),
            goals=(
                Goal((peer.label,), ours.label, PRUNED),
                Goal((peer.label,), ours_dense.label, DENSE),
            ),
        )
    ]
