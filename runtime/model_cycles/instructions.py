"""Instructions of arm64: their text, and what class each belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from niwaki.tool import run_tool

from .counts import INSTRUCTION, Counts
from .kit import Kit

FMLA, FMLA_F16, SCALAR_FMA, DOT = "fmla f32", "fmla f16", "scalar fma", "dot product"
OTHER_SIMD, SIMD_LOAD, SIMD_STORE = "other SIMD", "SIMD load", "SIMD store"
LOAD, STORE, PREFETCH, BRANCH, INTEGER = "load", "store", "prefetch", "branch", "integer"
CLASSES = (
    *(FMLA, FMLA_F16, SCALAR_FMA, DOT, OTHER_SIMD, SIMD_LOAD, SIMD_STORE),
    *(LOAD, STORE, PREFETCH, BRANCH, INTEGER),
)

_ENCODED = re.compile(r"\s*(.*?)\s*// encoding: \[([^\]]*)\]")
_VECTOR = re.compile(r"v\d+\.\d+([bhsd])")
_SIMD_REGISTER = re.compile(r"(?:\{ )?\b[vqdshb]\d+\b")
_BRANCHES = re.compile(r"b|b\..*|bl|blr|br|ret|cbn?z|tbn?z|svc")
_MULTIPLY_ADDS = ("fmla", "fmls")
_SCALAR_MULTIPLY_ADDS = ("fmadd", "fmsub", "fnmadd", "fnmsub")
_DOTS = (
    *("sdot", "udot", "usdot", "sudot", "bfdot", "smmla", "ummla", "usmmla", "bfmmla"),
    *("fmlal", "fmlal2", "fmlsl", "fmlsl2", "bfmlalb", "bfmlalt"),
)
# Atomic operations that give back what was there count as loads.
_LOADS = ("ld", "swp", "cas")
_STORES = ("st",)
_PREFETCHES = ("prfm", "prfum")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its text as LLVM writes it, and its class."""

    text: str
    kind: str


def disassemble(kit: Kit, codes: Iterable[bytes]) -> dict[bytes, Instruction]:
    """All instructions in `codes`; those that LLVM does not know are integer ones without text."""
    unique = sorted({word for code in codes for word in words(code)})
    found = dict.fromkeys(unique, Instruction("", INTEGER))
    lines = "\n".join(" ".join(f"{byte:#04x}" for byte in word) for word in found)
    options = ["-triple=aarch64", "-mattr=+all", "-disassemble", "-show-encoding"]
    done = run_tool([*kit.tool("llvm-mc-19"), *options], lines.encode())
    for line in done.stdout.decode().splitlines():
        if match := _ENCODED.match(line):
            text, encoding = match.groups()
            word = bytes(int(byte, 16) for byte in encoding.split(","))
            found[word] = classified(text.replace("\t", " "))
    return found


def classified(text: str) -> Instruction:
    """An instruction by its text."""
    name, _, operands = text.partition(" ")
    return Instruction(text, _class(name, operands))


def _class(name: str, operands: str) -> str:
    if name in _MULTIPLY_ADDS and (vector := _VECTOR.match(operands)):
        return FMLA_F16 if vector[1] == "h" else FMLA
    if name in (*_MULTIPLY_ADDS, *_SCALAR_MULTIPLY_ADDS):
        return SCALAR_FMA
    if name in _DOTS:
        return DOT
    if name.startswith(_PREFETCHES):
        return PREFETCH
    if name.startswith(_LOADS):
        return SIMD_LOAD if _SIMD_REGISTER.match(operands) else LOAD
    if name.startswith(_STORES):
        return SIMD_STORE if _SIMD_REGISTER.match(operands) else STORE
    if _BRANCHES.fullmatch(name):
        return BRANCH
    return OTHER_SIMD if _SIMD_REGISTER.search(operands) else INTEGER


def words(code: bytes) -> Iterator[bytes]:
    """The instructions in `code`."""
    for at in range(0, len(code), INSTRUCTION):
        yield code[at : at + INSTRUCTION]


def by_class(counts: Counts, known: Mapping[bytes, Instruction]) -> Counter[str]:
    """How many instructions of each class ran."""
    total: Counter[str] = Counter()
    for block, runs in counts.items():
        for word in words(block.code):
            total[known[word].kind] += runs
    return total
