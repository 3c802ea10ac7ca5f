"""Scheme attributes: thin views on `niwaki.schemes`, which holds all their maths.

    #sparse_pattern.dense
    #sparse_pattern.channel
    #sparse_pattern.pattern<4, 8, 1>              taps, patterns, filters that share them
    #sparse_pattern.block_column_row<8, 64>       filters and columns of a block
    #sparse_pattern.block_punched<8, 64>          filters and channels of a block
    #sparse_pattern.n_m<2, 4>                     two of every four channels
    #sparse_pattern.unstructured

A further scheme is one more class with a `scheme` property, listed in `_ATTRIBUTES`.
"""

from typing import Any

import torch_mlir.ir as ir

from niwaki import schemes

from .sparse_pattern import SparsePattern, int_attr


class DenseAttr(SparsePattern.Attribute, name="dense"):
    """Every weight is kept."""

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.Dense()

    @classmethod
    def of(cls, scheme: schemes.Dense) -> "DenseAttr":
        return cls.get()


class ChannelAttr(SparsePattern.Attribute, name="channel"):
    """Whole filters and whole input channels are kept."""

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.Channel()

    @classmethod
    def of(cls, scheme: schemes.Channel) -> "ChannelAttr":
        return cls.get()


class PatternAttr(SparsePattern.Attribute, name="pattern"):
    """Each kernel keeps one of a few patterns of taps, or nothing; filters may share the choice."""

    taps: ir.IntegerAttr
    patterns: ir.IntegerAttr
    filters: ir.IntegerAttr

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.Pattern(
            taps=ir.IntegerAttr(self.taps).value,
            patterns=ir.IntegerAttr(self.patterns).value,
            filters=ir.IntegerAttr(self.filters).value,
        )

    @classmethod
    def of(cls, scheme: schemes.Pattern) -> "PatternAttr":
        return cls.get(int_attr(scheme.taps), int_attr(scheme.patterns), int_attr(scheme.filters))


class BlockColumnRowAttr(SparsePattern.Attribute, name="block_column_row"):
    """Each block of filters x columns of the weight matrix keeps some rows and some columns."""

    filters: ir.IntegerAttr
    columns: ir.IntegerAttr

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.BlockColumnRow(
            filters=ir.IntegerAttr(self.filters).value, columns=ir.IntegerAttr(self.columns).value
        )

    @classmethod
    def of(cls, scheme: schemes.BlockColumnRow) -> "BlockColumnRowAttr":
        return cls.get(int_attr(scheme.filters), int_attr(scheme.columns))


class BlockPunchedAttr(SparsePattern.Attribute, name="block_punched"):
    """In each block of filters x channels, all kernels keep the same taps."""

    filters: ir.IntegerAttr
    channels: ir.IntegerAttr

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.BlockPunched(
            filters=ir.IntegerAttr(self.filters).value, channels=ir.IntegerAttr(self.channels).value
        )

    @classmethod
    def of(cls, scheme: schemes.BlockPunched) -> "BlockPunchedAttr":
        return cls.get(int_attr(scheme.filters), int_attr(scheme.channels))


class NMAttr(SparsePattern.Attribute, name="n_m"):
    """Of every m input channels, n are kept."""

    n: ir.IntegerAttr
    m: ir.IntegerAttr

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.NM(n=ir.IntegerAttr(self.n).value, m=ir.IntegerAttr(self.m).value)

    @classmethod
    def of(cls, scheme: schemes.NM) -> "NMAttr":
        return cls.get(int_attr(scheme.n), int_attr(scheme.m))


class UnstructuredAttr(SparsePattern.Attribute, name="unstructured"):
    """Any weights are kept."""

    @property
    def scheme(self) -> schemes.Scheme:
        return schemes.Unstructured()

    @classmethod
    def of(cls, scheme: schemes.Unstructured) -> "UnstructuredAttr":
        return cls.get()


_ATTRIBUTES: dict[type[schemes.Scheme], Any] = {
    schemes.Dense: DenseAttr,
    schemes.Channel: ChannelAttr,
    schemes.Pattern: PatternAttr,
    schemes.BlockColumnRow: BlockColumnRowAttr,
    schemes.BlockPunched: BlockPunchedAttr,
    schemes.NM: NMAttr,
    schemes.Unstructured: UnstructuredAttr,
}


def scheme_attr(scheme: schemes.Scheme) -> ir.Attribute:
    """The attribute of a scheme, in the current context."""
    return _ATTRIBUTES[type(scheme)].of(scheme)


def scheme_problem(attribute: Any) -> str:
    """What is wrong with an op's scheme, empty if nothing is."""
    known = isinstance(attribute, tuple(_ATTRIBUTES.values()))
    if not known:
        return f"needs a scheme of this dialect, got {attribute}"
    try:
        attribute.scheme.check_parameters()
    except schemes.SchemeError as error:
        return f"has a scheme that fits no weights: {error}"
    return ""
