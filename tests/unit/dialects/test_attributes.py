"""Attributes are thin views: Python values in, the same values out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch_mlir.ir as ir
from hypothesis import given
from hypothesis import strategies as st

from niwaki import dialects, schemes
from niwaki.dialects import (
    DepthwiseAttr,
    GatherGemmAttr,
    MatvecAttr,
    Planar,
    PlanarAttr,
    RowGemmAttr,
)

numbers = st.integers(1, 2**40)
arrays = st.lists(numbers, min_size=1, max_size=3).map(tuple)


@pytest.fixture(autouse=True, scope="module")
def context() -> Iterator[None]:
    with dialects.context(), ir.Location.unknown():
        yield


@given(
    st.one_of(
        st.builds(schemes.Pattern, numbers, numbers, numbers),
        st.builds(schemes.BlockColumnRow, numbers, numbers),
        st.builds(schemes.BlockPunched, numbers, numbers),
        st.builds(schemes.NM, numbers, numbers),
    )
)
def test_scheme_with_parameters(scheme: schemes.Scheme) -> None:
    attribute = dialects.scheme_attr(scheme)
    assert ir.Attribute.parse(str(attribute)).scheme == scheme


@pytest.mark.parametrize(
    "scheme", [schemes.Dense(), schemes.Channel(), schemes.Unstructured()], ids=str
)
def test_scheme_without_parameters(scheme: schemes.Scheme) -> None:
    attribute = dialects.scheme_attr(scheme)
    assert ir.Attribute.parse(str(attribute)).scheme == scheme


def test_every_scheme_has_an_attribute() -> None:
    for name, scheme in schemes.SCHEMES.items():
        made = scheme(**{field.name: 4 for field in dataclasses.fields(scheme)})
        assert str(dialects.scheme_attr(made)).startswith(f"#sparse_pattern.{name}")


@given(st.builds(Planar, arrays, arrays, arrays, arrays, numbers, numbers, numbers))
def test_planar(layout: Planar) -> None:
    attribute = PlanarAttr.of(layout)
    assert ir.Attribute.parse(str(attribute)).layout == layout
    tensor = ir.RankedTensorType.get([1, 2, 3], ir.F32Type.get())
    assert dialects.layout_of(dialects.with_layout(tensor, layout)) == layout
    assert dialects.with_layout(dialects.with_layout(tensor, layout), None) == tensor
    assert dialects.layout_of(tensor) is None


@given(numbers, numbers, numbers, numbers)
def test_kernels(a: int, b: int, c: int, d: int) -> None:
    gather = ir.Attribute.parse(str(GatherGemmAttr.of(filters=a, vectors=b, tiles=c, blocks=d)))
    assert gather.tile == (a, b, c, d)
    assert gather.summary == f"gather_gemm {a}x{b} tiles {c} blocks {d}"
    depthwise = ir.Attribute.parse(str(DepthwiseAttr.of(vectors=a, channels=b)))
    assert depthwise.tile == (a, b)
    assert depthwise.summary == f"depthwise {a} channels {b}"
    matvec = ir.Attribute.parse(str(MatvecAttr.of(filters=a, rows=b, bands=c)))
    assert matvec.tile == (a, b, c)
    assert matvec.summary == f"matvec {a}x{b} bands {c}"
    rows = ir.Attribute.parse(str(RowGemmAttr.of(filters=a, vectors=b, blocks=c)))
    assert rows.tile == (a, b, c)
    assert rows.summary == f"row_gemm {a}x{b} blocks {c}"
