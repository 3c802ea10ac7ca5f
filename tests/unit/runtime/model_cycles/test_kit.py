"""What cannot be counted, or not on this machine, is refused in one line."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import Bundle, open_bundle
from niwaki.runtime.model_cycles import debian, kit
from niwaki.runtime.model_cycles.cores import CORES, core_named
from niwaki.runtime.model_cycles.fake_cpu import write_fake_cpu
from niwaki.runtime.model_cycles.measure import model_cycles

A76 = CORES["a76"]


def for_target(path: Path, target: str, driver: str, architecture: tuple[str, ...]) -> Bundle:
    bundle = open_bundle(path)
    manifest = replace(bundle.manifest, target=target, driver=driver, architecture=architecture)
    return replace(bundle, manifest=manifest)


@pytest.mark.parametrize(
    ("target", "driver", "architecture"),
    [("x86-64-v3", "local", ("x86_64",)), ("vulkan-mali", "vulkan", ())],
)
def test_only_arm64_bundles_are_counted(
    affine_path: Path, target: str, driver: str, architecture: tuple[str, ...]
) -> None:
    bundle = for_target(affine_path, target, driver, architecture)
    with pytest.raises(NiwakiError) as caught:
        model_cycles(bundle, A76)
    assert str(caught.value) == (
        f"{affine_path} is for target '{target}', cycles are modelled for arm64 CPUs: compile the "
        "model with --target arm64-android"
    )


def test_unknown_core_is_told_with_those_there_are() -> None:
    with pytest.raises(NiwakiError, match=r"no model of core 'm4': choose one of a76"):
        core_named("m4")


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.usefixtures("empty_cache")
def test_other_machines_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(NiwakiError, match="counted on x86-64 Linux, and this is riscv64"):
        kit.fetch(A76)


@pytest.mark.usefixtures("empty_cache")
def test_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NiwakiError, match=r"no C compiler for QEMU's plugin .*: install gcc"):
        kit.fetch(A76)


@pytest.mark.usefixtures("empty_cache")
def test_missing_apt_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cc").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NiwakiError, match="no apt-get: QEMU and LLVM come from Debian's packages"):
        kit.fetch(A76)


@pytest.mark.usefixtures("empty_cache")
def test_missing_keyring_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("cc", *debian.PROGRAMS):
        (tmp_path / program).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian, "KEYRING", tmp_path / "none.gpg")
    with pytest.raises(NiwakiError, match=r"no .*none\.gpg: install debian-archive-keyring"):
        kit.fetch(A76)


def test_failed_download_is_told_and_leaves_nothing(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in ("cc", *debian.PROGRAMS):
        script = tmp_path / program
        script.write_text("#!/bin/sh\necho 'E: no network' >&2; exit 100\n")
        script.chmod(0o755)
    monkeypatch.setattr(debian, "KEYRING", tmp_path / "cc")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    told: list[str] = []
    with pytest.raises(NiwakiError, match="could not get Debian's packages: E: no network"):
        kit.fetch(A76, told.append)
    assert told == [f"fetching QEMU, LLVM and an arm64 Python (150 MB) into {empty_cache}/niwaki"]
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_plugin_that_does_not_compile_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kit, "PLUGIN", tmp_path / "none.c")
    with pytest.raises(NiwakiError, match=r"could not compile QEMU's plugin: .+"):
        kit.compile_plugin(tmp_path / "plugin.so")


def test_fake_machine_is_the_core(tmp_path: Path) -> None:
    write_fake_cpu(A76, tmp_path)
    described = (tmp_path / "proc/cpuinfo").read_text()
    assert described.count("CPU part\t: 0xd0b") == 2
    assert " asimdhp " in described
    cpu = tmp_path / "sys/devices/system/cpu/cpu1"
    assert (cpu / "regs/identification/midr_el1").read_text() == "0x00000000414fd0b0\n"
    assert (cpu / "cache/index0/size").read_text() == "64K\n"
