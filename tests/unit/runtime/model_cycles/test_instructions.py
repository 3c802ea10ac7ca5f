"""Each instruction of arm64 belongs to one class."""

from __future__ import annotations

import pytest

from niwaki.runtime.model_cycles.counts import Block
from niwaki.runtime.model_cycles.instructions import (
    BRANCH,
    CLASSES,
    DOT,
    FMLA,
    FMLA_F16,
    INTEGER,
    LOAD,
    OTHER_SIMD,
    PREFETCH,
    SCALAR_FMA,
    SIMD_LOAD,
    SIMD_STORE,
    STORE,
    Instruction,
    by_class,
    classified,
)

TEXTS = {
    FMLA: (
        "fmla v0.4s, v1.4s, v2.4s",
        "fmla v3.4s, v1.4s, v2.s[3]",
        "fmls v5.2s, v1.2s, v2.2s",
        "fmla v6.2d, v1.2d, v2.2d",
    ),
    FMLA_F16: ("fmla v6.8h, v1.8h, v2.8h", "fmla v6.4h, v1.4h, v2.h[7]"),
    SCALAR_FMA: ("fmadd s7, s1, s2, s3", "fnmsub d1, d2, d3, d4", "fmla s0, s1, v2.s[1]"),
    DOT: (
        "sdot v8.4s, v1.16b, v2.16b",
        "udot v8.4s, v1.16b, v2.4b[1]",
        "smmla v1.4s, v2.16b, v3.16b",
        "fmlal2 v0.4s, v1.4h, v2.h[1]",
    ),
    OTHER_SIMD: (
        "fmul v9.4s, v1.4s, v2.s[1]",
        "fadd s0, s1, s2",
        "dup v10.4s, w1",
        "mov v1.16b, v2.16b",
        "zip1 v10.4s, v1.4s, v2.4s",
        "fmov w0, s1",
        "umov x0, v1.d[1]",
        "fcmp s0, #0.0",
        "movi v0.2d, #0000000000000000",
        "fmaxnm v0.4s, v1.4s, v2.4s",
    ),
    SIMD_LOAD: (
        "ldp q11, q12, [sp]",
        "ldr s11, [sp, #4]",
        "ldur d11, [x1, #-4]",
        "ldr h0, [x1]",
        "ld1 { v11.4s, v12.4s }, [sp]",
        "ld1r { v11.4s }, [sp]",
        "ld1 { v11.s }[1], [sp]",
        "ldnp q0, q1, [x0]",
    ),
    SIMD_STORE: ("stp q11, q12, [sp, #-64]!", "st1 { v11.4s }, [sp]", "str q11, [sp, #-16]!"),
    LOAD: ("ldr x1, [sp]", "ldp x1, x2, [sp]", "ldrsw x1, [sp]", "ldaxr w0, [x1]", "ldrb w0, [x1]"),
    STORE: ("str w1, [sp]", "stp x29, x30, [sp, #-16]!", "stlxr w0, w1, [x2]"),
    PREFETCH: ("prfm pldl1keep, [sp]", "prfum pldl1keep, [x0, #-1]"),
    BRANCH: ("b #-20", "b.ne #-8", "bl #400", "ret", "cbz x0, #8", "tbnz w0, #3, #8", "svc #0"),
    INTEGER: (
        "add sp, sp, #16",
        "subs x19, x19, #1",
        "mov x8, #93",
        "madd x0, x1, x2, x3",
        "csel x0, x1, x2, eq",
        "bic w0, w1, w2",
        "bfi w0, w1, #3, #4",
        "adrp x0, #4096",
        "sxtw x0, w1",
    ),
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in TEXTS.items() for text in texts]
)
def test_class_of_an_instruction(kind: str, text: str) -> None:
    assert classified(text).kind == kind


def test_every_class_has_an_example() -> None:
    assert list(TEXTS) == list(CLASSES)


def test_classes_are_counted_by_runs() -> None:
    add, fmla = b"\1\0\0\0", b"\2\0\0\0"
    known = {add: Instruction("add", INTEGER), fmla: classified("fmla v0.4s, v1.4s, v2.4s")}
    counts = {Block(0, fmla + add + fmla): 10, Block(64, add): 3}
    assert by_class(counts, known) == {FMLA: 20, INTEGER: 13}
