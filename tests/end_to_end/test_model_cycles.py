"""Model cycles of a small bundle, and of a program whose instructions are known."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import click.testing
import pytest
import torch
from contender import Contender
from emulated.counting import count_all
from emulated.phone_engines import NiwakiForPhones
from torch import nn
from workloads import LayerChain

import niwaki
from niwaki.cli import main
from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.model_cycles.cores import CORES
from niwaki.runtime.model_cycles.counts import Counts
from niwaki.runtime.model_cycles.fake_cpu import write_fake_cpu
from niwaki.runtime.model_cycles.instructions import (
    BRANCH,
    FMLA,
    INTEGER,
    LOAD,
    SIMD_LOAD,
    by_class,
    disassemble,
)
from niwaki.runtime.model_cycles.kit import PYTHON_FLAGS, Kit, fetch
from niwaki.runtime.model_cycles.mark import BEGIN, END, MARK
from niwaki.runtime.model_cycles.measure import GUEST, count, importable_runtime
from niwaki.tool import run_tool

pytestmark = pytest.mark.requires_model_cycles

RUNS = 1000
PROGRAM = f"""
  mov x8, #{MARK}
  mov x0, #{BEGIN}
  svc #0
  mov x19, #{RUNS}
1:
  fmla v0.4s, v1.4s, v2.4s
  fmla v0.4s, v1.4s, v2.s[1]
  fmul v3.4s, v1.4s, v2.4s
  ldr q4, [sp]
  ldr x1, [sp]
  subs x19, x19, #1
  b.ne 1b
  mov x0, #{END}
  svc #0
  mov x8, #93
  mov x0, #0
  svc #0
"""


@pytest.fixture(scope="module")
def kit() -> Kit:
    return fetch(CORES["a76"])


def test_every_instruction_is_counted(kit: Kit, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(executable(assembled(kit, PROGRAM, tmp_path)))
    program.chmod(0o755)
    counts = count(kit, [program])
    classes = by_class(counts, disassemble(kit, {block.code for block in counts}))
    assert classes[FMLA] == 2 * RUNS
    assert (classes[SIMD_LOAD], classes[LOAD]) == (RUNS, RUNS)
    assert classes[INTEGER] == RUNS + 2
    assert classes[BRANCH] == RUNS + 1
    assert classes.total() == 7 * RUNS + 3


def assembled(kit: Kit, text: str, folder: Path) -> bytes:
    """The machine code of `text`."""
    source, linked, code = (folder / name for name in ("text.s", "text.o", "text.bin"))
    source.write_text(text)
    run_tool([*kit.tool("llvm-mc-19"), "-triple=aarch64", "-filetype=obj", "-o", linked, source])
    run_tool([*kit.tool("llvm-objcopy-19"), "-O", "binary", linked, code])
    return code.read_bytes()


def executable(code: bytes) -> bytes:
    """The smallest ELF program: a header, and one segment with all of the file."""
    headers, address = 64 + 56, 0x400000
    size = headers + len(code)
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, 183, 1, address + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, address, address, size, size, 0x1000)
    return b"\x7fELF\x02\x01\x01" + bytes(9) + header + segment + code


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers 3x3, of which each block of 8 filters reads 8 of 32 channels, and one 1x1."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 8, 1), nn.ReLU()),
    ).eval()
    blocks = torch.block_diag(*[torch.ones(8, 8)] * 4)[..., None, None]
    for layer in (model[0], model[2]):
        layer.weight.data *= blocks
    path = tmp_path_factory.mktemp("bundle") / "net.niwaki"
    niwaki.compile(model, (torch.randn(1, 32, 20, 20),), target="arm64-android", output=path)
    return path


def bench(*arguments: str | Path) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["bench", *map(str, arguments)])


def test_cycles_of_a_bundle(bundle: Path) -> None:
    result = bench(bundle, "--emulate", "a76", "--json")
    assert result.exit_code == 0, result.output
    cycles = json.loads(result.stdout)
    # Kept weights, times positions, by vectors of 4; tiles reach beyond the edges of the image.
    work = (2 * 32 * 8 * 9 + 32 * 8) * 400 / 4
    assert work <= cycles["instructions"][FMLA] < 2 * work
    assert cycles["fmla_bound"] <= cycles["bound"] <= cycles["steady"] < 20 * work
    layers = {run.kernel for run in open_bundle(bundle).manifest.dispatches}
    assert layers <= {kernel["name"] for kernel in cycles["kernels"]} | {""}
    hottest = cycles["blocks"][0]
    assert hottest["kernel"] in layers
    assert hottest["fmla"] == sum(text.startswith("fmla") for text in hottest["code"])


@pytest.fixture
def older_kit(kit: Kit, tmp_path: Path) -> Kit:
    """One that emulates a Cortex-A57, which has no arithmetic for f16."""
    without = {"fphp", "asimdhp", "asimddp", "atomics", "asimdrdm", "lrcpc", "dcpop", "ssbs"}
    features = tuple(name for name in kit.core.features if name not in without)
    core = replace(kit.core, name="a57", emulated="cortex-a57", features=features, part=0xD07)
    sysroot = tmp_path / "sysroot"
    sysroot.mkdir()
    for entry in kit.sysroot.iterdir():
        if entry.name not in ("proc", "sys"):
            (sysroot / entry.name).symlink_to(entry)
    write_fake_cpu(core, sysroot)
    return replace(kit, core=core, sysroot=sysroot)


def test_cores_without_arithmetic_for_f16(older_kit: Kit, tmp_path: Path) -> None:
    """They refuse bundles that have it in one line, and run those that only store f16."""
    model, x = nn.Conv2d(4, 8, 3).eval(), torch.randn(1, 4, 9, 9)

    def run(target: str) -> Counts:
        path = tmp_path / f"{target}.niwaki"
        niwaki.compile(model, x, target=target, output=path, precision="f16")
        with importable_runtime() as packages:
            command: list[str | Path] = [older_kit.python, *PYTHON_FLAGS, GUEST, path, target]
            return count(older_kit, command, [packages, *older_kit.packages])

    with pytest.raises(NiwakiError) as refused:
        run("arm64-android")
    assert str(refused.value) == (
        f"{tmp_path}/arm64-android.niwaki (target arm64-android) needs CPU features that this "
        "machine lacks: asimddp, asimdhp, atomics; compile the model with --target arm64"
    )
    assert run("arm64")


def test_an_engine_of_the_benchmarks(kit: Kit, tmp_path: Path) -> None:
    """Prepared here, run and compared under the emulator."""
    contender = Contender(NiwakiForPhones(), LayerChain(filters=16, size=6, rate=4, depth=2))
    (counted,) = count_all(kit, [contender], tmp_path, reuse=False).values()
    assert counted.problem == ""
    assert counted.cycles is not None
    assert counted.cycles.instructions[FMLA] > 0
