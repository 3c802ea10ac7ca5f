"""Which target a machine is."""

from __future__ import annotations

import platform

import pytest

from niwaki.elements import F32
from niwaki.errors import NiwakiError
from niwaki.targets import TARGETS, Core, get_target, host
from niwaki.targets.cores import ZEN_4_CORE, ZEN_5_CORE
from niwaki.targets.cpus import AVX2, AVX512


def machine(monkeypatch: pytest.MonkeyPatch, name: str, flags: set[str]) -> None:
    """Another one, of which the kernel lists these features."""
    monkeypatch.setattr(platform, "machine", lambda: name)
    monkeypatch.setattr(host, "cpu_flags", lambda: frozenset(flags))


@pytest.mark.parametrize(
    ("name", "flags", "best"),
    [
        ("x86_64", {*AVX2, *AVX512, "avx512_vnni", "tsc"}, "x86-64-v4"),
        ("AMD64", {*AVX2, "avx512f"}, "x86-64-v3"),
        ("aarch64", {"asimd", "asimddp", "fp"}, "arm64"),
        ("arm64", set(), "arm64"),
    ],
)
def test_host(name: str, flags: set[str], best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, name, flags)
    found = get_target("host")
    assert (found.name, found.vector(F32)) == ("host", TARGETS[best].vector(F32))
    assert found.summary == f"this machine, as {best} or better"
    assert "--iree-llvmcpu-target-cpu=host" in found.iree_flags
    assert set(found.cpu_features) == flags - {"tsc", "fp"}


@pytest.mark.parametrize(
    ("vendor", "family", "model", "core"),
    [
        ("AuthenticAMD", "26", "2", ZEN_5_CORE),
        ("AuthenticAMD", "26", "68", ZEN_5_CORE),
        ("AuthenticAMD", "26", "36", ZEN_4_CORE),  # a laptop's, of 256 bits
        ("AuthenticAMD", "25", "17", ZEN_4_CORE),
        ("GenuineIntel", "6", "143", ZEN_4_CORE),
        ("", "", "unknown", ZEN_4_CORE),
    ],
)
def test_host_has_the_numbers_of_its_core(
    vendor: str, family: str, model: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, "x86_64", {*AVX2, *AVX512})
    facts = {"vendor_id": vendor, "cpu family": family, "model": model}
    monkeypatch.setattr(host, "cpu_facts", lambda: facts)
    assert get_target("host").core == core


@pytest.mark.parametrize(
    ("name", "flags", "reason"),
    [
        ("x86_64", {*AVX2} - {"movbe", "fma"}, "for x86-64-v3 it lacks fma, movbe"),
        ("riscv64", set(), "Niwaki knows CPUs of x86_64 and aarch64"),
    ],
)
def test_host_that_fits_no_target(
    name: str, flags: set[str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, name, flags)
    with pytest.raises(NiwakiError) as caught:
        get_target("host")
    assert str(caught.value) == (
        f"no CPU target fits this machine ({name}): {reason}; to compile for another machine, "
        f"name its target, one of {', '.join(TARGETS)}"
    )
