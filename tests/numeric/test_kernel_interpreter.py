"""The checker of kernels' accesses finds what is wrong, in kernels written by hand.

Each kernel has buffers %in, %table, %out and %scratch and the workgroup's numbers %x, %y, %z.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch_mlir.ir as ir

from niwaki import dialects

from .kernel_accesses import run_kernel
from .kernel_memory import Buffer, Scratch
from .kernel_values import DATA, GARBAGE, ZERO, Unsupported, states
from .network_accesses import broken_promises

CONSTANTS = "\n".join(
    f"%c{number} = arith.constant {number} : index" for number in (0, 1, 2, 3, 4, 5, 6, 7, 8)
)


class Run:
    """A kernel run on 8 elements of input, the last one garbage, a table, and 8 of result."""

    def __init__(
        self, body: str, workgroups: int = 1, threads: int = 1, table: tuple[int, ...] = (0,)
    ) -> None:
        source = states(8)
        source[-1] = GARBAGE
        self.result = Buffer("out", states(8, state=GARBAGE), is_result=True)
        scratch = Scratch("scratch", states(8, state=GARBAGE))
        table_buffer = Buffer("table", np.array(table))
        buffers: list[Buffer | Scratch] = [Buffer("in", source), table_buffer, self.result, scratch]
        text = f"""
          func.func private @kernel(%in: memref<?xf32>, %table: memref<?xi32>,
                                    %out: memref<?xf32>, %scratch: memref<?xf32>,
                                    %x: index, %y: index, %z: index)
              attributes {{sparse_pattern.workgroups = array<i64: {workgroups}, 1, 1>}} {{
            {CONSTANTS}
            %zero = arith.constant 0.0 : f32
            {body}
            return
          }}"""
        with dialects.context():
            module = ir.Module.parse(text)
            (function,) = module.body.operations
            self.problems = run_kernel(function, buffers, threads)


def stored(value: str, place: str) -> str:
    """Code that stores an f32."""
    return f"\nmemref.store {value}, %out[{place}] : memref<?xf32>\n"


def copied(source: str, place: str, name: str = "%v") -> str:
    """Code that copies four elements."""
    return f"""
      {name} = vector.load %in[{source}] : memref<?xf32>, vector<4xf32>
      vector.store {name}, %out[{place}] : memref<?xf32>, vector<4xf32>
    """


@pytest.mark.parametrize(
    ("workgroups", "code"),
    [
        (1, copied("%c0", "%c0") + copied("%c4", "%c4", "%w")),
        (2, "%p = arith.muli %x, %c4 : index" + copied("%p", "%p")),
        (1, f"scf.for %i = %c0 to %c8 step %c4 {{ {copied('%i', '%i')} }}"),
    ],
)
def test_a_copy(workgroups: int, code: str) -> None:
    run = Run(code, workgroups)
    assert run.problems == []
    assert run.result.left.tolist() == [DATA] * 7 + [GARBAGE]
    assert run.result.written.all()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (copied("%c5", "%c4"), "reads element 8 of in, which has 8"),
        (copied("%c4", "%c5"), "writes element 8 of out, which has 8"),
        ("%p = arith.subi %c0, %c1 : index" + copied("%p", "%c0"), "reads element -1 of in"),
        ("%p = arith.subi %c0, %c1 : index" + stored("%zero", "%p"), "writes element -1 of out"),
        (stored("%zero", "%c8"), "writes element 8 of out, which has 8"),
        (
            f"scf.for %i = %c0 to %c6 step %c1 {{ {copied('%i', '%c0')} }}",
            "reads element 8 of in, which has 8",
        ),
        ("%t = memref.load %table[%c1] : memref<?xi32>", "reads element 1 of table, which has 1"),
        ("%t = memref.load %out[%c1] : memref<?xf32>", "reads out, which it is to write"),
        ("memref.store %zero, %in[%c1] : memref<?xf32>", "writes in, which it may only read"),
    ],
)
def test_wrong_accesses(code: str, told: str) -> None:
    problems = Run(code).problems
    assert any(told in problem for problem in problems), problems


def test_tables_are_followed() -> None:
    """An offset that a table holds is as good as one in the code."""
    code = """
      %t = memref.load %table[%x] : memref<?xi32>
      %p = arith.index_cast %t : i32 to index
    """ + copied("%p", "%c0")
    assert Run(code, 1, table=(4, 5)).problems == []
    problems = Run(code, 2, table=(4, 5)).problems
    assert "reads element 8 of in, which has 8" in problems


def test_branches_are_followed() -> None:
    """What is outside for some threads only they must not touch."""
    code = """
      %t = gpu.thread_id x
      %inside = arith.cmpi ult, %t, {limit} : index
      scf.if %inside {{
        %v = memref.load %in[%t] : memref<?xf32>
        memref.store %v, %out[%t] : memref<?xf32>
      }}
    """
    fits = Run(code.format(limit="%c8"), threads=64)
    assert fits.problems == []
    assert fits.result.written.all()
    all_but_one = Run(code.format(limit="%c7"), threads=64)
    assert all_but_one.result.written.tolist() == [True] * 7 + [False]
    beyond = Run(code.replace("{limit}", "%c8").replace("ult, %t", "ule, %t").format(), threads=9)
    assert "reads element 8 of in, which has 8" in beyond.problems


def test_negative_numbers_are_huge_without_a_sign() -> None:
    code = """
      %before = arith.subi %c0, %c1 : index
      %inside = arith.cmpi ult, %before, %c8 : index
      scf.if %inside { memref.store %zero, %out[%before] : memref<?xf32> }
    """
    assert Run(code).problems == []
    assert "writes element -1 of out, which has 8" in Run(code.replace("ult", "slt")).problems


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (copied("%c0", "%c0"), "4 elements of out are written by several, as 0 by 0 and 1"),
        (copied("%c0", "%x"), "3 elements of out are written by several, as 1 by 0 and 1"),
        (
            copied("%c0", "%x") + stored("%zero", "%c1"),
            "1 elements of out get a value and a zero, as 1",
        ),
    ],
)
def test_races(code: str, told: str) -> None:
    assert told in Run(code, workgroups=2).problems


def test_zeros_may_overlap() -> None:
    assert Run(stored("%zero", "%c1"), workgroups=2).problems == []


def test_states_follow_the_data() -> None:
    """Halo by select is zero whatever was computed, by multiplication it is not."""
    code = """
      %mask = arith.constant dense<[true, true, false, false]> : vector<4xi1>
      %zeros = arith.constant dense<0.0> : vector<4xf32>
      %v = vector.load %in[%c4] : memref<?xf32>, vector<4xf32>
      %kept = arith.select %mask, %v, %zeros : vector<4xi1>, vector<4xf32>
      %product = arith.mulf %v, %zeros : vector<4xf32>
      vector.store %kept, %out[%c0] : memref<?xf32>, vector<4xf32>
      vector.store %product, %out[%c4] : memref<?xf32>, vector<4xf32>
    """
    run = Run(code)
    assert run.problems == []
    assert run.result.left.tolist() == [DATA, DATA, ZERO, ZERO, DATA, DATA, DATA, GARBAGE]


def test_garbage_in_any_iteration_stays() -> None:
    code = """
      %sum = scf.for %i = %c5 to {end} step %c1 iter_args(%a = %zero) -> f32 {{
        %v = memref.load %in[%i] : memref<?xf32>
        %next = arith.addf %a, %v : f32
        scf.yield %next : f32
      }}
    """ + stored("%sum", "%c0")
    assert Run(code.format(end="%c7")).result.left[0] == DATA
    assert Run(code.format(end="%c8")).result.left[0] == GARBAGE


def test_numbers_are_carried_in_order() -> None:
    """0, 2 and 4 are written in the loop, 6 after it."""
    code = """
      %n = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %c0) -> index {
        memref.store %zero, %out[%a] : memref<?xf32>
        %next = arith.addi %a, %c2 : index
        scf.yield %next : index
      }
    """
    run = Run(code)
    assert run.problems == []
    assert np.flatnonzero(run.result.written).tolist() == [0, 2, 4]
    assert Run(code + stored("%zero", "%n")).result.written[6]


def test_casts_without_a_sign() -> None:
    code = """
      %t = memref.load %table[%c0] : memref<?xi32>
      %p = arith.index_castui %t : i32 to index
    """ + stored("%zero", "%p")
    assert Run(code, table=(7,)).problems == []
    assert f"writes element {2**32 - 1} of out, which has 8" in Run(code, table=(-1,)).problems


SUMS = "%sums = memref.alloca() : memref<2xvector<4xf32>>\n"


def kept(place: str, name: str = "%k") -> str:
    """Code that loads a vector from the stack."""
    return f"{name} = memref.load %sums[{place}] : memref<2xvector<4xf32>>\n"


def keeps(value: str, place: str) -> str:
    """Code that stores a vector on the stack."""
    return f"memref.store {value}, %sums[{place}] : memref<2xvector<4xf32>>\n"


def loads(place: str, name: str = "%v") -> str:
    """Code that loads four elements of the input."""
    return f"{name} = vector.load %in[{place}] : memref<?xf32>, vector<4xf32>\n"


def test_the_stack_is_garbage_until_it_is_written() -> None:
    write = "vector.store %k, %out[%c0] : memref<?xf32>, vector<4xf32>\n"
    unwritten = Run(SUMS + loads("%c0") + keeps("%v", "%c0") + kept("%c1") + write)
    assert unwritten.result.left[:4].tolist() == [GARBAGE] * 4
    written = Run(SUMS + loads("%c4") + keeps("%v", "%c1") + kept("%c1") + write)
    assert written.problems == []
    assert written.result.left[:4].tolist() == [DATA, DATA, DATA, GARBAGE]


def test_a_stack_is_for_one_alone() -> None:
    """The first workgroup writes it; the second one's is garbage."""
    code = f"""
      {SUMS} %first = arith.cmpi eq, %x, %c0 : index
      scf.if %first {{ {loads("%c0")} {keeps("%v", "%c0")} }}
      {kept("%c0")} %p = arith.muli %x, %c4 : index
      vector.store %k, %out[%p] : memref<?xf32>, vector<4xf32>
    """
    assert Run(code, workgroups=2).result.left.tolist() == [DATA] * 4 + [GARBAGE] * 4


@pytest.mark.parametrize(
    ("stored_vector", "left"),
    [("%v", [DATA] * 7 + [GARBAGE]), ("%sum", [DATA, DATA, DATA, GARBAGE] * 2)],
)
def test_iterations_use_the_stack_in_order(stored_vector: str, left: list[int]) -> None:
    """The first one's garbage is gone when the second overwrites it, and stays in a sum."""
    code = f"""
      %zeros = arith.constant dense<0.0> : vector<4xf32>
      {SUMS} {keeps("%zeros", "%c0")}
      scf.for %i = %c0 to %c2 step %c1 {{
        %after = arith.muli %i, %c4 : index
        %p = arith.subi %c4, %after : index
        {loads("%p")} {kept("%c0", "%before")}
        %sum = arith.addf %before, %v : vector<4xf32>
        {keeps(stored_vector, "%c0")} {kept("%c0")}
        vector.store %k, %out[%p] : memref<?xf32>, vector<4xf32>
      }}
    """
    run = Run(code)
    assert run.problems == []
    assert run.result.left.tolist() == left


@pytest.mark.parametrize("verb", ["reads", "writes"])
def test_the_stack_has_an_end(verb: str) -> None:
    code = SUMS + loads("%c0") + (kept("%c2") if verb == "reads" else keeps("%v", "%c2"))
    assert Run(code).problems == [f"{verb} element 2 of the stack, which has 2"]


def scratched(verb: str, value: str, place: str) -> str:
    """Code that loads four elements from scratch memory, or stores them there."""
    memory = f"%scratch[{place}] : memref<?xf32>, vector<4xf32>\n"
    return (
        f"{value} = vector.load {memory}" if verb == "load" else f"vector.store {value}, {memory}"
    )


OWN = "%own = arith.muli %x, %c4 : index\n"


def test_scratch_memory_is_for_one_alone() -> None:
    """It is garbage until it is written, and belongs to who writes it."""
    through = OWN + loads("%own") + scratched("store", "%v", "%own")
    own = through + scratched("load", "%k", "%own")
    own += "vector.store %k, %out[%own] : memref<?xf32>, vector<4xf32>\n"
    assert Run(own, workgroups=2).problems == []
    assert Run(own, workgroups=2).result.left.tolist() == [DATA] * 7 + [GARBAGE]
    unwritten = Run(
        scratched("load", "%k", "%c0") + "vector.store %k, %out[%c0] : memref<?xf32>, vector<4xf32>"
    )
    assert unwritten.result.left[:4].tolist() == [GARBAGE] * 4
    foreign = Run(through + scratched("load", "%k", "%c0"), workgroups=2)
    assert foreign.problems == ["reads element 0 of scratch, which 0 has written"]
    shared = Run(loads("%c0") + scratched("store", "%v", "%x"), workgroups=2)
    assert shared.problems == ["several write elements of scratch at the same time"]
    one_by_one = "".join(
        f"%turn{i} = arith.cmpi eq, %x, %c{i} : index\n"
        f"scf.if %turn{i} {{ {scratched('store', '%v', '%c0')} }}\n"
        for i in range(2)
    )
    later = OWN + loads("%own") + one_by_one
    assert Run(later, workgroups=2).problems == ["writes element 0 of scratch, which 0 has written"]


def test_iterations_use_scratch_memory_in_order() -> None:
    """What the first stores the second one loads."""
    code = f"""
      {loads("%c0")} {scratched("store", "%v", "%c0")}
      scf.for %i = %c0 to %c2 step %c1 {{
        {scratched("load", "%k", "%i")}
        %next = arith.addi %i, %c1 : index
        {scratched("store", "%k", "%next")}
      }}
      {scratched("load", "%last", "%c2")}
      vector.store %last, %out[%c0] : memref<?xf32>, vector<4xf32>
    """
    run = Run(code)
    assert run.problems == []
    assert run.result.left[:4].tolist() == [DATA] * 4


@pytest.mark.parametrize(("verb", "told"), [("load", "reads"), ("store", "writes")])
def test_scratch_memory_has_an_end(verb: str, told: str) -> None:
    code = loads("%c0") + scratched(verb, "%k" if verb == "load" else "%v", "%c5")
    assert Run(code).problems == [f"{told} element 8 of scratch, which has 8"]


def test_lanes_are_told_apart() -> None:
    """Every second of eight elements: the last one is loaded and not used."""
    code = """
      %a = vector.load %in[%c0] : memref<?xf32>, vector<4xf32>
      %b = vector.load %in[%c4] : memref<?xf32>, vector<4xf32>
      %even = vector.shuffle %a, %b [0, 2, 4, 6] : vector<4xf32>, vector<4xf32>
      %odd = vector.shuffle %a, %b [1, 3, 5, 7] : vector<4xf32>, vector<4xf32>
      %sum = vector.reduction <add>, %even : vector<4xf32> into f32
      vector.store %odd, %out[%c0] : memref<?xf32>, vector<4xf32>
      %third = vector.extract %odd[2] : f32 from vector<4xf32>
      %last = vector.extract %odd[3] : f32 from vector<4xf32>
    """
    code += stored("%sum", "%c4") + stored("%third", "%c5") + stored("%last", "%c6")
    states = [DATA, DATA, DATA, GARBAGE, DATA, DATA, GARBAGE]
    assert Run(code).result.left[:7].tolist() == states


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            """%v = memref.load %in[%c0] : memref<?xf32>
               %n = arith.fptosi %v : f32 to i32
               %p = arith.index_cast %n : i32 to index"""
            + stored("%zero", "%p"),
            "an address that depends on data",
        ),
        (
            """%v = memref.load %in[%c0] : memref<?xf32>
               %b = arith.cmpf olt, %v, %zero : f32
               scf.if %b { memref.store %zero, %out[%c0] : memref<?xf32> }""",
            "control flow",
        ),
        (
            """scf.for %i = %c0 to %c4 step %c1 {
                 %sums = memref.alloca() : memref<2xvector<4xf32>>
               }""",
            "memory on the stack of a loop",
        ),
        ("%n = arith.shli %c1, %c1 : index", "arith.shli of numbers"),
    ],
)
def test_what_is_not_known_is_refused(code: str, told: str) -> None:
    """Silence would look like a proof."""
    with pytest.raises(Unsupported, match=told):
        Run(code)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", "2 elements of the result are not written, the first is 2"),
        (copied("%c0", "%c2"), "1 elements of the result are no zeros, as halo must be"),
        (copied("%c4", "%c0") + stored("%zero", "%c4"), "depend on garbage, the first is 3"),
        (stored("%zero", "%c0"), "are zeros instead of pixels, the first is 0"),
    ],
)
def test_broken_promises(code: str, told: str) -> None:
    """Four pixels, a zero, and slack."""
    whole = copied("%c0", "%c0") + stored("%zero", "%c4")
    wanted = np.array([1, 1, 1, 1, 0, np.nan, np.nan, np.nan])
    assert broken_promises(Run(whole).result, wanted) == []
    if not code:
        code = stored("%zero", "%c4") + "".join(
            f"%v{i} = memref.load %in[%c{i}] : memref<?xf32>\n" + stored(f"%v{i}", f"%c{i}")
            for i in range(2)
        )
    found = broken_promises(Run(code).result, wanted)
    assert any(told in problem for problem in found), found
