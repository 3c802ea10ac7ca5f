"""Writing and opening bundles, and every way in which a file may be none."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
from damaged_bundles import members_of, rewrite

from niwaki.atomic import check_writable
from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import may_replace, open_bundle, write_bundle
from niwaki.runtime.container import ALIGNMENT

MEMBERS = ("manifest.json", "module.vmfb", "weights.irpa")


def message_of(path: Path) -> str:
    with pytest.raises(NiwakiError) as caught:
        open_bundle(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_round_trip(affine_path: Path) -> None:
    bundle = open_bundle(affine_path)
    assert bundle.path == affine_path
    assert bundle.layers == tiny_bundle.affine_manifest().layers
    assert bytes(bundle.module) == tiny_bundle.compiled(tiny_bundle.AFFINE, "host")
    assert set(bundle.manifest.digests) == {"module.vmfb", "weights.irpa"}
    assert (
        hashlib.sha256(bundle.weights.map()).hexdigest() == bundle.manifest.digests["weights.irpa"]
    )
    assert repr(bundle) == f"<Bundle {affine_path} for host, 2 layers>"


def test_same_input_gives_same_bytes(affine_path: Path, tmp_path: Path) -> None:
    again = tiny_bundle.affine_bundle(tmp_path / "other name.niwaki")
    assert again.read_bytes() == affine_path.read_bytes()


def test_members_are_plain_and_aligned(affine_path: Path) -> None:
    contents = affine_path.read_bytes()
    with zipfile.ZipFile(affine_path) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == MEMBERS
        for info in archive.infolist():
            name_size, extra_size = struct.unpack_from("<HH", contents, info.header_offset + 26)
            begin = info.header_offset + 30 + name_size + extra_size
            assert begin % ALIGNMENT == 0
            assert contents[begin : begin + info.file_size] == archive.read(info)


def test_members_of_more_than_4_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    path = tiny_bundle.affine_bundle(tmp_path / "net.niwaki")
    monkeypatch.undo()
    assert open_bundle(path).manifest.target == "host"


def test_replaces_an_older_file(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    path.write_text("old")
    tiny_bundle.affine_bundle(path)
    assert open_bundle(path).manifest.target == "host"
    assert os.listdir(tmp_path) == ["net.niwaki"]


def test_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    assert message_of(path) == (
        f"{path} does not exist; write it with `niwaki compile MODEL -o {path}`"
    )


def test_folder(tmp_path: Path) -> None:
    assert message_of(tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    path.touch()
    assert message_of(path) == f"{path} is not a Niwaki bundle: it is empty"


def test_other_file(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    path.write_bytes(b"ELF" * 1000)
    assert message_of(path).startswith(f"{path} is not a Niwaki bundle, or it is truncated")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_truncated_file(affine_path: Path, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "net.niwaki"
    contents = affine_path.read_bytes()
    path.write_bytes(contents[: int(len(contents) * kept)])
    assert message_of(path).startswith(f"{path} is not a Niwaki bundle, or it is truncated")


@pytest.mark.parametrize("name", MEMBERS)
def test_altered_member(affine_path: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "net.niwaki"
    contents = bytearray(affine_path.read_bytes())
    begin = contents.index(members_of(affine_path)[name])
    contents[begin + 60] ^= 1
    path.write_bytes(contents)
    assert message_of(path) == (
        f"{path} is truncated or altered: {name} does not match its digest; compile the model again"
    )


def test_any_altered_byte(tmp_path: Path) -> None:
    """Whichever byte changes: it is told in one line, or it is one that means nothing."""
    path = tmp_path / "net.niwaki"
    write_bundle(path, tiny_bundle.manifest({}, {}, target="arm64"), b"code", {})
    original = path.read_bytes()
    expected = members_of(path)
    told = harmless = 0
    for position in range(len(original)):
        contents = bytearray(original)
        contents[position] ^= 0xFF
        path.write_bytes(contents)
        try:
            bundle = open_bundle(path)
        except NiwakiError as error:
            told += "\n" not in str(error)
            continue
        assert bytes(bundle.module) == expected["module.vmfb"]
        assert bytes(bundle.weights.map()) == expected["weights.irpa"]
        harmless += 1
    assert told + harmless == len(original)
    assert told > harmless


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "module.vmfb/", "extra", "a\0manifest.json"]
)
def test_foreign_entry(affine_path: Path, tmp_path: Path, name: str) -> None:
    members = [*members_of(affine_path).items(), ("123456789012345"[: len(name)], b"")]
    path = rewrite(tmp_path / "net.niwaki", members)
    # Put the name in afterwards: `zipfile` would tidy it up.
    contents = path.read_bytes()
    path.write_bytes(contents.replace(members[-1][0].encode(), name.encode()))
    assert message_of(path) == (
        f"{path} is not a Niwaki bundle: it has an entry {name!r}, which no bundle has"
    )
    assert os.listdir(tmp_path) == ["net.niwaki"]


def test_missing_member(affine_path: Path, tmp_path: Path) -> None:
    members = members_of(affine_path)
    del members["weights.irpa"]
    path = rewrite(tmp_path / "net.niwaki", members.items())
    assert message_of(path) == f"{path} is damaged: it must have weights.irpa once, not 0 times"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_repeated_member(affine_path: Path, tmp_path: Path) -> None:
    members = [*members_of(affine_path).items(), ("module.vmfb", b"other")]
    path = rewrite(tmp_path / "net.niwaki", members)
    assert message_of(path) == f"{path} is damaged: it must have module.vmfb once, not 2 times"


def test_compressed_member(affine_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members_of(affine_path).items():
            archive.writestr(name, contents)
    assert message_of(path) == (
        f"{path} was packed anew by another tool: manifest.json is compressed; "
        "compile the model again"
    )


def test_misaligned_member(affine_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members_of(affine_path).items():
            archive.writestr(name, contents)
    assert message_of(path) == (
        f"{path} was packed anew by another tool: manifest.json does not begin at a multiple "
        "of 64 bytes; compile the model again"
    )


def test_member_elsewhere(affine_path: Path, tmp_path: Path) -> None:
    """A directory that points a member to where none begins."""
    path = tmp_path / "net.niwaki"
    contents = bytearray(affine_path.read_bytes())
    (directory,) = struct.unpack_from("<I", contents, len(contents) - 6)
    module = contents.index(b"PK\x01\x02", directory + 4)
    struct.pack_into("<I", contents, module + 42, 64)
    path.write_bytes(contents)
    assert message_of(path) == f"{path} is damaged at module.vmfb; compile the model again"


def test_digests_of_other_members(affine_path: Path, tmp_path: Path) -> None:
    members = members_of(affine_path)
    manifest = json.loads(members["manifest.json"])
    del manifest["digests"]["weights.irpa"]
    members["manifest.json"] = json.dumps(manifest).encode()
    path = rewrite(tmp_path / "net.niwaki", members.items())
    assert message_of(path) == (
        f"{path}: manifest.json must hold the digests of module.vmfb and weights.irpa"
    )


def test_weights_as_iree_writes_them(affine_path: Path, tmp_path: Path) -> None:
    """Our archive is IREE's own, less the padding to whole pages at its end."""
    from iree.runtime import ParameterIndex

    index = ParameterIndex()
    for name, array in tiny_bundle.WEIGHTS.items():
        index.add_buffer(name, array)
    index.create_archive_file(str(tmp_path / "iree.irpa"))
    theirs = (tmp_path / "iree.irpa").read_bytes()
    ours = members_of(affine_path)["weights.irpa"]
    assert theirs[: len(ours)] == ours
    assert not any(theirs[len(ours) :])


def test_weights_of_any_shape(tmp_path: Path) -> None:
    from iree.runtime import FileHandle, ParameterIndex

    weights: dict[str, np.ndarray] = {
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(7, np.int64),
        "turned": np.arange(6, dtype=np.float16).reshape(2, 3).T,
        "naïve": np.arange(100, dtype=np.uint8),
        "flags": np.array([True, False]),
    }
    write_bundle(tmp_path / "net.niwaki", tiny_bundle.affine_manifest(), b"code", weights)
    bundle = open_bundle(tmp_path / "net.niwaki")
    index = ParameterIndex()
    index.load_from_file_handle(FileHandle.wrap_memory(bundle.weights.map()), "irpa")
    found = {key: bytes(entry.file_view) for key, entry in index.items()}
    assert found == {key: array.tobytes() for key, array in weights.items()}


def test_no_weights(tmp_path: Path) -> None:
    write_bundle(tmp_path / "net.niwaki", tiny_bundle.affine_manifest(), b"code", {})
    assert len(open_bundle(tmp_path / "net.niwaki").weights) > 0


def refusal(path: Path) -> str:
    """What writing a bundle at `path` says."""
    with pytest.raises(NiwakiError) as caught:
        write_bundle(path, tiny_bundle.affine_manifest(), b"code" * 10_000, tiny_bundle.WEIGHTS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_write_into_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "none" / "net.niwaki"
    assert refusal(path) == (
        f"cannot write {path}: folder {path.parent} does not exist; create it first"
    )


def test_write_over_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    path.mkdir()
    assert refusal(path) == f"cannot write {path}: it is a folder; name a file"
    assert os.listdir(tmp_path) == ["net.niwaki"]


def test_write_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom permissions do not stop.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    path = tmp_path / "net.niwaki"
    assert refusal(path) == f"cannot write {path}: no permission to write in folder {tmp_path}"
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_known_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.niwaki"
    path.write_bytes(b"older")
    check_writable(path)
    assert path.read_bytes() == b"older"

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    message = f"^cannot write {path}: no permission to write in folder {tmp_path}$"
    with pytest.raises(NiwakiError, match=message):
        check_writable(path)
    assert os.listdir(tmp_path) == ["net.niwaki"]


def test_write_at_no_name_of_a_file() -> None:
    assert refusal(Path("a\0b")) == (
        "cannot write a\\x00b: no file can have a zero byte in its name"
    )


def test_write_fails_otherwise(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 300)
    assert refusal(path) == f"cannot write {path}: File name too long"


def test_disk_full(tmp_path: Path) -> None:
    """The older file stays, nothing half-written does; a file-size limit stands in for a disk."""
    path = tmp_path / "net.niwaki"
    path.write_text("old")
    program = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
import tiny_bundle
from niwaki.runtime.bundle import write_bundle
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
manifest = tiny_bundle.affine_manifest()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
write_bundle(sys.argv[1], manifest, bytes(100_000), {})
"""
    command = [sys.executable, "-c", program, str(path), str(Path(tiny_bundle.__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        f"niwaki.errors.NiwakiError: cannot write {path}: no space left on the device; "
        "free some or choose another folder"
    )
    assert os.listdir(tmp_path) == ["net.niwaki"]
    assert path.read_text() == "old"


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "net.niwaki", tiny_bundle.affine_manifest(), b"code", {})
    assert os.listdir(tmp_path) == []


def test_never_unpickles(tmp_path: Path) -> None:
    import pickle

    buffer = io.BytesIO()
    pickle.dump({"format_version": 1}, buffer)
    path = rewrite(tmp_path / "net.niwaki", [(name, buffer.getvalue()) for name in MEMBERS])
    assert message_of(path) == f"{path}: manifest.json is not valid JSON; compile the model again"


@pytest.mark.parametrize(
    ("name", "replaceable"),
    [("bundle", True), ("truncated", True), ("empty", True), ("archive", False), ("text", False),
     ("folder", False), ("device", False)],
)  # fmt: skip
def test_what_a_bundle_may_be_written_over(name: str, replaceable: bool, tmp_path: Path) -> None:
    """Never over the network that it is made of, say."""
    path = tmp_path / name
    match name:
        case "bundle" | "truncated":
            tiny_bundle.affine_bundle(path)
            if name == "truncated":
                path.write_bytes(path.read_bytes()[:100])
        case "empty" | "text":
            path.write_text("weights" * (name == "text"))
        case "archive":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("archive_format", "pt2")
        case "folder":
            path.mkdir()
        case "device":
            path = Path(os.devnull)
    assert may_replace(path) == replaceable
