"""Which layer each kernel run belongs to, read from IREE's IR."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from niwaki import dialects
from niwaki.dispatch_order import Dispatch, read_order

MODULE = """\
module attributes {stream.topology = 1} {
  stream.executable private @conv_0 {
    stream.executable.export public @conv_0 loc("a")
  } loc("a")
  util.initializer {
    stream.cmd.dispatch @table::@cpu::@table {
      wo %arg0[%c0 for %c64] : !stream.resource<transient>{%c64}
    } loc("table")
  } loc(unknown)
  util.func public @main(%arg0: !hal.buffer_view loc("x")) -> !hal.buffer_view {
    %1 = stream.cmd.execute with(%0) {
      stream.cmd.dispatch @conv_0::@cpu::@conv_0(%c0_i32 : i32) {
        ro %arg1[%c0 for %c64] : !stream.resource<external>{%c64},
        wo %arg2[%c0 for %c64] : !stream.resource<transient>{%c64}
      } loc("a.b")
      stream.cmd.concurrent {
        stream.cmd.copy %arg1[%c0], %arg2[%c0], %c64 : !stream.resource<transient> loc("cat")
        stream.cmd.dispatch @conv_0::@cpu::@conv_0 {
          ro %arg1[%c0 for %c64] : !stream.resource<external>{%c64}
        } loc(fused[unknown, "c", "d"])
      } loc(fused["c", "cat"])
      stream.cmd.dispatch @"main$0"::@cpu::@"main$0_sort" {
        rw %arg1[%c0 for %c64] : !stream.resource<external>{%c64}
      } loc("net.mlir":3:5)
    } => !stream.timepoint loc(fused["a.b", "c"])
    util.return %2 : !hal.buffer_view loc(unknown)
  } loc(unknown)
} loc(unknown)
"""


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with dialects.context():
        yield


def test_order() -> None:
    assert read_order(MODULE) == {
        "main": [
            Dispatch("a.b", "conv_0"),
            Dispatch("c", "conv_0"),
            Dispatch("3:5", "main$0_sort"),
        ]
    }


def test_functions_apart() -> None:
    """IREE makes two functions of each; the kernels run in one of them."""
    other = MODULE.replace("@main(", "@main_32$async(").replace("a.b", "b")
    empty = "  util.func public @main_32() {\n  } loc(unknown)\n} loc(unknown)\n"
    both = MODULE.removesuffix("} loc(unknown)\n") + other.partition("\n")[2] + empty
    orders = read_order(both.replace("} loc(unknown)\n  stream.executable", "  stream.executable"))
    assert {name: len(order) for name, order in orders.items()} == {"main": 3, "main_32": 3}
    assert orders["main_32"][0] == Dispatch("b", "conv_0")


def test_nothing_runs() -> None:
    assert read_order("module {\n  util.func @main() {\n  } loc(unknown)\n} loc(unknown)\n") == {
        "main": []
    }
