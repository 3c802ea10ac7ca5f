"""Random functions between whose convolutions channels are moved, constants among them.

    %a = conv(%x) + slice(%constant);  %b = concat(%constant, %a);  %c = slice(%b);  conv(%c)

Networks from PyTorch have few constants that anything moves, as its own importer computes them
first. Recurrent layers of ONNX do, whose weights are cut out of one constant at every step.
"""

from __future__ import annotations

import numpy as np

from .random_layers import Generator

LENGTH = 4


class MovedConstants:
    """Text of a function on ``tensor<1x?x4xf32>``, made op by op."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.count = 0

    def function(self) -> str:
        channels = int(self.rng.integers(2, 6))
        first = f"%x : tensor<1x{channels}x{LENGTH}xf32>"
        value = self.convolution("%x", channels)
        moves = (self.add, self.join, self.cut, self.pad)
        for _ in range(int(self.rng.integers(2, 5))):
            for number in self.rng.permutation(len(moves))[:2]:
                value = moves[number](*value)
            value = self.convolution(*value)
        name, channels = value
        result = f"tensor<1x{channels}x{LENGTH}xf32>"
        body = "\n".join(self.lines)
        return f"func.func @main({first}) -> {result} {{\n{body}\nreturn {name} : {result}\n}}"

    def convolution(self, value: str, channels: int) -> tuple[str, int]:
        """By a kernel of one tap: filters and channels of it are zero."""
        filters = int(self.rng.integers(2, 7))
        weight = self.rng.standard_normal((filters, channels, 1))
        weight *= (self.rng.random((filters, 1, 1)) < 0.7) * (self.rng.random((channels, 1)) < 0.7)
        kind = f"tensor<1x{filters}x{LENGTH}xf32>"
        kernel = self.constant(weight)
        zeros = self.constant(np.zeros((1, filters, LENGTH)))
        return (
            self.op(
                f"linalg.conv_1d_ncw_fcw ins({value}, {kernel} : tensor<1x{channels}x{LENGTH}xf32>,"
                f" tensor<{filters}x{channels}x1xf32>) outs({zeros} : {kind}) -> {kind}"
            ),
            filters,
        )

    def add(self, value: str, channels: int) -> tuple[str, int]:
        """A constant that ops make."""
        return self.sum(value, self.moved_constant(channels), channels), channels

    def join(self, value: str, channels: int) -> tuple[str, int]:
        more = int(self.rng.integers(1, 4))
        parts = [(value, channels), (self.moved_constant(more), more)]
        if self.rng.random() < 0.5:
            parts.reverse()
        names = ", ".join(name for name, _ in parts)
        kinds = ", ".join(f"tensor<1x{count}x{LENGTH}xf32>" for _, count in parts)
        total = channels + more
        return (
            self.op(f"tensor.concat dim(1) {names} : ({kinds}) -> tensor<1x{total}x{LENGTH}xf32>"),
            total,
        )

    def cut(self, value: str, channels: int) -> tuple[str, int]:
        first = int(self.rng.integers(0, channels))
        count = int(self.rng.integers(1, channels - first + 1))
        return self.slice(value, channels, first, count), count

    def pad(self, value: str, channels: int) -> tuple[str, int]:
        """With zeros, which are cut off again."""
        wide = f"tensor<1x{channels}x{LENGTH + 1}xf32>"
        kind = f"tensor<1x{channels}x{LENGTH}xf32>"
        zero = self.op("arith.constant 0.0 : f32")
        padded = self.op(
            f"tensor.pad {value} low[0, 0, 1] high[0, 0, 0] {{ ^bb0(%a: index, %b: index, "
            f"%c: index): tensor.yield {zero} : f32 }} : {kind} to {wide}"
        )
        cut = f"tensor.extract_slice {padded}[0, 0, 0] [1, {channels}, {LENGTH}] [1, 1, 1]"
        return self.op(f"{cut} : {wide} to {kind}"), channels

    def moved_constant(self, channels: int) -> str:
        """A constant of so many channels, cut out of a larger one or reshaped."""
        kind = f"tensor<1x{channels}x{LENGTH}xf32>"
        shape = self.rng.integers(3)
        if shape == 0:
            more = int(self.rng.integers(1, 4))
            first = int(self.rng.integers(0, more + 1))
            whole = self.constant(self.rng.standard_normal((1, channels + more, LENGTH)))
            return self.slice(whole, channels + more, first, channels)
        if shape == 1 and channels % 2 == 0:
            pairs = self.constant(self.rng.standard_normal((1, channels // 2, 2, LENGTH)))
            return self.op(
                f"tensor.collapse_shape {pairs} [[0], [1, 2], [3]] : "
                f"tensor<1x{channels // 2}x2x{LENGTH}xf32> into {kind}"
            )
        flat = self.constant(self.rng.standard_normal((1, channels * LENGTH)))
        return self.op(
            f"tensor.expand_shape {flat} [[0], [1, 2]] output_shape [1, {channels}, {LENGTH}] : "
            f"tensor<1x{channels * LENGTH}xf32> into {kind}"
        )

    def slice(self, value: str, channels: int, first: int, count: int) -> str:
        return self.op(
            f"tensor.extract_slice {value}[0, {first}, 0] [1, {count}, {LENGTH}] [1, 1, 1] : "
            f"tensor<1x{channels}x{LENGTH}xf32> to tensor<1x{count}x{LENGTH}xf32>"
        )

    def sum(self, a: str, b: str, channels: int) -> str:
        kind = f"tensor<1x{channels}x{LENGTH}xf32>"
        same = "affine_map<(i, j, k) -> (i, j, k)>"
        empty = self.op(f"tensor.empty() : {kind}")
        return self.op(
            f"linalg.generic {{indexing_maps = [{same}, {same}, {same}], iterator_types = "
            f'["parallel", "parallel", "parallel"]}} ins({a}, {b} : {kind}, {kind}) '
            f"outs({empty} : {kind}) {{ ^bb0(%p: f32, %q: f32, %r: f32):\n"
            f"%s = arith.addf %p, %q : f32\nlinalg.yield %s : f32 }} -> {kind}"
        )

    def constant(self, array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
        numbers = np.round(array, 3).tolist()
        sizes = "x".join(map(str, array.shape))
        return self.op(f"arith.constant dense<{numbers}> : tensor<{sizes}xf32>")

    def op(self, text: str) -> str:
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"{name} = {text}")
        return name
