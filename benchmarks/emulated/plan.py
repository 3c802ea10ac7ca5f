"""Which networks are counted, beside which engines, and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from contender import Contender
from engines.base import Engine
from engines.mnn import Mnn
from engines.ncnn import Ncnn
from engines.onnxruntime import OnnxRuntime
from recurrent import PrunedRecurrent
from workloads import PrunedNetwork, PrunedTransformer, Workload

from emulated.executorch import ExecuTorchForPhones
from emulated.phone_engines import MnnInHalf, NcnnInHalf, NiwakiForPhones, NiwakiInHalf

CORE = "a76"
IN_F32: tuple[Engine, ...] = (Ncnn(), Mnn(), ExecuTorchForPhones(), OnnxRuntime())
IN_F16: tuple[Engine, ...] = (NcnnInHalf(), MnnInHalf())
OURS, OURS_IN_HALF = NiwakiForPhones(), NiwakiInHalf()
DENSE = 1


@dataclass(frozen=True)
class Wanted:
    """What a pruned network is to take.

    Attributes:
        workload: the network and its weights.
        cycles: at most so many millions; None where the best engine in f32 tells.
        over_peer: how many times fewer cycles than that.
        engine: ours, in f32 or in f16.
    """

    workload: Workload
    cycles: float | None = None
    over_peer: float | None = None
    engine: Engine = OURS

    @property
    def contender(self) -> Contender:
        return Contender(self.engine, self.workload)

    def at_most(self, best_peer: float | None) -> float | None:
        """Millions of cycles, with those of the best engine in f32; None where nobody knows."""
        if self.cycles is not None or best_peer is None or self.over_peer is None:
            return self.cycles
        return best_peer / self.over_peer


@dataclass(frozen=True)
class Plan:
    """One network: pruned by several rates, and dense, where others take part.

    No other engine is faster for zeros among the weights, so these run the dense network alone.

    Attributes:
        network: its name.
        wanted: what it is to take, for each kind of weights.
        in_f32, in_f16: the others.
        unpruned: what these run; None for the network of that name in `models.MODELS`.
    """

    network: str
    wanted: tuple[Wanted, ...]
    in_f32: tuple[Engine, ...] = IN_F32
    in_f16: tuple[Engine, ...] = IN_F16
    unpruned: Workload | None = None

    @property
    def name(self) -> str:
        return f"emulated-{self.network}"

    @property
    def contenders(self) -> list[Contender]:
        ours = [wanted.contender for wanted in self.wanted]
        return [*ours, *self.peers(self.in_f32), *self.peers(self.in_f16)]

    def peers(self, engines: tuple[Engine, ...]) -> list[Contender]:
        """Other engines on the dense network."""
        dense = self.unpruned or PrunedNetwork(self.network, DENSE)
        return [Contender(engine, dense) for engine in engines]


def _rates(network: str, cycles: dict[float, float], engine: Engine = OURS) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(PrunedNetwork(network, rate), most, engine=engine) for rate, most in cycles.items()
    )


def _gru_step(rate: float) -> Workload:
    """A step of RTMobile's GRU."""
    return PrunedRecurrent("GRU", inputs=153, units=1024, layers=2, steps=1, rate=rate)


PLANS = (
    Plan(
        "resnet18",
        (
            *_rates("resnet18", {8: 35, 4: 62, 2: 92, DENSE: 105}),
            *_rates("resnet18", {8: 18, 4: 33, DENSE: 60}, OURS_IN_HALF),
        ),
    ),
    Plan(
        "mobilenet_v2",
        (
            *_rates("mobilenet_v2", {8: 9, DENSE: 46}),
            *_rates("mobilenet_v2", {8: 6, DENSE: 25}, OURS_IN_HALF),
        ),
    ),
    Plan(
        "vgg16",
        (
            Wanted(PrunedNetwork("vgg16", 8), over_peer=2.5),
            Wanted(PrunedNetwork("vgg16", 8.1, shape="pattern"), over_peer=2.5),
        ),
    ),
    Plan("resnet50", (Wanted(PrunedNetwork("resnet50", 8), over_peer=2.5),)),
    # 8 times fewer multiplications in the whole network, whose first layer stays dense. In three
    # dimensions ncnn has no fast kernels and ExecuTorch no pooling.
    Plan(
        "c3d",
        (Wanted(PrunedNetwork("c3d", 9.93, shape="kernel groups"), over_peer=2.5),),
        in_f32=(Mnn(), OnnxRuntime()),
        in_f16=(MnnInHalf(),),
    ),
    # ncnn and ONNX Runtime are the phones' engines that take these exports.
    Plan(
        "gru-step",
        (Wanted(_gru_step(10), over_peer=8), Wanted(_gru_step(DENSE))),
        in_f32=(Ncnn(), OnnxRuntime()),
        in_f16=(),
        unpruned=_gru_step(DENSE),
    ),
    Plan(
        "transformer",
        (Wanted(PrunedTransformer(8), over_peer=3), Wanted(PrunedTransformer(DENSE))),
        in_f32=(Ncnn(), OnnxRuntime()),
        in_f16=(),
        unpruned=PrunedTransformer(DENSE),
    ),
)
