"""The kernels in a module of IREE's, found without symbols."""

from __future__ import annotations

from iree.compiler import compile_str
from tiny_bundle import AFFINE

from niwaki.runtime.model_cycles.counts import Block
from niwaki.runtime.model_cycles.kernel_library import KernelLibrary, kernel_libraries
from niwaki.runtime.model_cycles.kernels import kernels_of
from niwaki.targets import get_target


def test_library_tells_names_and_places() -> None:
    module = compile_str(AFFINE, extra_args=list(get_target("arm64").iree_flags))
    (library,) = kernel_libraries(module)
    (name,) = library.names
    assert name.startswith("main_dispatch_0")
    assert library.code[library.starts[0] :]


def test_bytes_that_are_no_library() -> None:
    assert kernel_libraries(b"no library at all") == []


def test_blocks_are_placed_by_the_address_that_most_agree_on() -> None:
    same, first, second = b"aaaa", b"bbbb", b"cccc"
    library = KernelLibrary(same + first + same + second, (0, 8), ("one", "two"))
    codes = enumerate((same, first, same, second))
    blocks = [Block(0x100 + 4 * number, code) for number, code in codes]
    elsewhere = Block(0x900, same)
    found = kernels_of([*blocks, elsewhere], [library])
    assert [found[block] for block in blocks] == ["one", "one", "two", "two"]
    assert elsewhere not in found


def test_no_block_in_the_library() -> None:
    assert kernels_of([Block(0, b"zzzz")], [KernelLibrary(b"aaaa", (0,), ("one",))]) == {}
