"""Recurrent layers, transformers and a style network beside other engines on dense weights.

Batch 1, one thread.
"""

from __future__ import annotations

from dataclasses import replace

from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.deepsparse import DeepSparse
from engines.niwaki import Niwaki
from engines.onnxruntime import OnnxRuntime
from engines.openvino import OpenVino
from engines.openvino_int8 import OpenVinoInt8
from recurrent import PrunedRecurrent
from speech_layers import PrunedConformer, PrunedDecoderStep
from workloads import PrunedStyle, PrunedTransformer, PrunedVit, Workload

PEERS: tuple[Engine, ...] = (OnnxRuntime(), OpenVino())
INPUTS, UNITS, LAYERS = 153, 1024, 2  # of RTMobile's GRU


def cases() -> list[Case]:
    return [
        _case("gru-step", "GRU 2x1024, one step", _gru(10), _gru(1), 10, 1.4),
        _case("lstm", "LSTM 2x1024, 50 steps", _lstm(10), _lstm(1), 12, 1.4),
        _case("noise", "GRU 384, one step", _noise(8), _noise(1), None, None),
        _case(
            "bert",
            "transformer of 4 layers x 512, 128 tokens",
            PrunedTransformer(8),
            PrunedTransformer(1),
            4,
            1.1,
        ),
        _bert_base_layer(),
        _case("vit-tiny", "ViT-tiny, 224x224", PrunedVit(8), PrunedVit(1), 3, 1),
        _case(
            "conformer",
            "conformer layers, 4 x 256, 400 tokens",
            PrunedConformer(8),
            PrunedConformer(1),
            5,
            None,
        ),
        _case(
            "decoder-step",
            "step of a decoder, 4 x 512, 256 keys",
            PrunedDecoderStep(8),
            PrunedDecoderStep(1),
            5,
            None,
        ),
        _case("style", "style network, 256x256", PrunedStyle(8), PrunedStyle(1), 5, None),
    ]


def _gru(rate: float) -> PrunedRecurrent:
    return PrunedRecurrent("GRU", INPUTS, UNITS, LAYERS, steps=1, rate=rate)


def _lstm(rate: float) -> PrunedRecurrent:
    return PrunedRecurrent("LSTM", INPUTS, UNITS, LAYERS, steps=50, rate=rate)


def _noise(rate: float) -> PrunedRecurrent:
    return PrunedRecurrent("GRU", 384, 384, 1, steps=1, rate=rate, shape="block-punched")


def _bert_base_layer() -> Case:
    """Also beside an engine for sparse weights, on the same ones, and one in 8 bits."""
    pruned, dense = (PrunedTransformer(rate, depth=1, width=768, heads=12) for rate in (8, 1))
    case = _case("bert-base", "a layer of BERT-base, 128 tokens", pruned, dense, 7, None)
    sparse, narrow = Contender(DeepSparse(), pruned), Contender(OpenVinoInt8(), dense)
    ours = case.contenders[0].label
    goals = [Goal((sparse.label,), ours, 1.5), Goal((narrow.label,), ours, 2)]
    return replace(
        case,
        contenders=(*case.contenders, sparse, narrow),
        goals=(*case.goals, *goals),
    )


def _case(
    name: str,
    title: str,
    pruned: Workload,
    dense: Workload,
    sparse_goal: float | None,
    dense_goal: float | None,
) -> Case:
    """`pruned` and `dense` against the faster one of the peers on dense weights."""
    ours, whole = Contender(Niwaki(), pruned), Contender(Niwaki(), dense)
    peers = [Contender(engine, dense) for engine in PEERS]
    labels = tuple(peer.label for peer in peers)
    wanted = ((ours, sparse_goal), (whole, dense_goal))
    goals = [Goal(labels, one.label, least) for one, least in wanted if least is not None]
    return Case(
        name=f"sequence-{name}",
        title=f"{title}, {pruned.described}",
        contenders=(ours, whole, *peers),
        goals=tuple(goals),
    )
