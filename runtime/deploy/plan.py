"""What a run on a device is: of which network, how often, on which cores."""

from __future__ import annotations

import re
from dataclasses import dataclass

from niwaki.errors import NiwakiError

from ..bundle import MODULE, Bundle
from ..layer_times import MOST_PROFILED
from ..measure import check_calls


@dataclass(frozen=True)
class Plan:
    """How a device runs a network.

    Attributes:
        module: digest of the module, which tells results of other networks from this one's.
        length: of a network of several lengths, which; else 0.
        threads: of a call.
        warmup: calls that are not counted.
        repetitions: calls that are.
        cores: the cores that it may use, as taskset takes them: a hexadecimal number with a bit
            for each core. Empty for all.
    """

    module: str
    length: int
    threads: int
    warmup: int
    repetitions: int
    cores: str


def make_plan(
    bundle: Bundle, threads: int = 1, warmup: int = 10, repetitions: int = 50, cores: str = ""
) -> Plan:
    """A plan for a bundle.

    Raises:
        NiwakiError: the numbers of calls are none or too many, or `cores` is no such number.
    """
    check_calls(warmup, repetitions, MOST_PROFILED)
    if cores and not (re.fullmatch("[0-9a-fA-F]{1,16}", cores) and int(cores, 16)):
        raise NiwakiError(
            f"--cores {cores}: give a hexadecimal number with a bit for each core: f0 for cores 4 "
            "to 7"
        )
    module = bundle.manifest.digests[MODULE]
    return Plan(module, bundle.length, threads, warmup, repetitions, cores)
