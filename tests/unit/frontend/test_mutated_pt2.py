"""A few of the files that `tests/fuzz_pt2.py` makes, and those that say wrong sizes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import fuzz_pt2
import fuzzing
import pytest

from niwaki.errors import NiwakiError
from niwaki.frontend import load_model


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fuzz_pt2.original(tmp_path_factory.mktemp("original"))


def test_refused_or_imported(source: Path, tmp_path: Path) -> None:
    findings = fuzzing.fuzz(fuzz_pt2.run, source, range(40), tmp_path)
    assert findings.wrong == []
    assert findings.outcomes["json: refused"]
    assert findings.outcomes["json: imported"]


def test_every_size_is_checked(source: Path, tmp_path: Path) -> None:
    """Whichever value it is of that the file says another size."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in members if name.endswith("models/model.json"))
    program: Any = json.loads(members[name])
    values = program["graph_module"]["graph"]["tensor_values"]
    path = tmp_path / "net.pt2"
    for sizes in [value["sizes"] for value in values.values() if value["sizes"]]:
        sizes[0]["as_int"] += 1
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in {**members, name: json.dumps(program).encode()}.items():
                archive.writestr(member, data)
        with pytest.raises(NiwakiError, match="the file is damaged, or was saved by"):
            load_model(str(path))
        sizes[0]["as_int"] -= 1


@pytest.mark.parametrize("change", ["first call", "signature", "guards"])
def test_parts_that_loading_only_stores(change: str, source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in members if name.endswith("models/model.json"))
    program: Any = json.loads(members[name])
    match change:
        case "first call":
            program["graph_module"]["module_call_graph"][0]["fqn"] = "5"
        case "signature":
            program["graph_module"]["module_call_graph"][0]["signature"] = None
        case "guards":
            program["guards_code"] = None
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in {**members, name: json.dumps(program).encode()}.items():
            archive.writestr(member, data)
    with pytest.raises(NiwakiError, match="the file is damaged, or was saved by"):
        load_model(str(path))


def test_two_inputs_of_one_name(source: Path, tmp_path: Path) -> None:
    fuzz_pt2.mutate(686, source, tmp_path / "net.pt2")
    with pytest.raises(NiwakiError, match="the file is damaged, or was saved by"):
        load_model(str(tmp_path / "net.pt2"))
