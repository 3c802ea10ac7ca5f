"""MODEL strings: a Python function, a .pt2 file, an .mlir file, and what else a user may write."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import Function, ResNet
from torch import nn
from torch.export import Dim, ExportedProgram

from niwaki.errors import NiwakiError
from niwaki.frontend import load_model
from niwaki.frontend.pt2_sizes import check_sizes

NET = """
import torch
from torch import nn

def good(): return nn.Linear(3, 4).eval(), torch.zeros(2, 3)
def with_tuple(): return nn.Bilinear(3, 3, 4).eval(), (torch.zeros(2, 3), torch.zeros(2, 3))
def with_kwargs(): return nn.Linear(3, 4).eval(), (), {"input": torch.zeros(2, 3)}
def program(): return torch.export.export(nn.Linear(3, 4).eval(), (torch.zeros(2, 3),))
def nothing(): return None
def tensor(): return torch.zeros(3)
def module_only(): return nn.Linear(3, 4)
def no_module(): return 3, torch.zeros(2, 3)
def four(): return nn.Linear(3, 4), 1, 2, 3
def three(): return nn.Linear(3, 4), torch.zeros(3), torch.zeros(3)
def fails():
    x = {}
    return x["key"]
def fails_inside(): return torch.zeros(3) @ torch.zeros(4)
def leaves(): raise SystemExit("usage: net.py FILE")
not_a_function = 3
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    return tmp_path / "net.py"


def message(text: str | Path) -> str:
    with pytest.raises(NiwakiError) as raised:
        load_model(str(text))
    assert "\n" not in str(raised.value)
    return str(raised.value)


class TestPythonFunction:
    def test_tensor(self, net: Path) -> None:
        model = load_model(f"{net}:good")
        assert isinstance(model.program, nn.Linear)
        assert model.path is None
        assert model.example_inputs.shape == (2, 3)
        assert model.example_kwargs == {}

    def test_tuple(self, net: Path) -> None:
        assert len(load_model(f"{net}:with_tuple").example_inputs) == 2

    def test_kwargs(self, net: Path) -> None:
        model = load_model(f"{net}:with_kwargs")
        assert model.example_inputs == ()
        assert list(model.example_kwargs) == ["input"]

    def test_exported_program(self, net: Path) -> None:
        model = load_model(f"{net}:program")
        assert isinstance(model.program, torch.export.ExportedProgram)

    def test_imports_its_neighbours(self, tmp_path: Path) -> None:
        (tmp_path / "net_parts.py").write_text(
            "from torch import nn\ndef part(): return nn.ReLU()\n"
        )
        (tmp_path / "net.py").write_text(
            "import torch\n\ndef make():\n    import net_parts\n"
            "    return net_parts.part(), torch.zeros(3)\n"
        )
        path = list(sys.path)
        assert isinstance(load_model(f"{tmp_path}/net.py:make").program, nn.ReLU)
        assert sys.path == path

    def test_missing_file(self, tmp_path: Path) -> None:
        assert message(f"{tmp_path}/none.py:f") == (
            f"{tmp_path}/none.py: cannot be read: No such file or directory"
        )

    def test_no_function_named(self, net: Path) -> None:
        assert message(net) == f"{net}: name the function that returns the model: {net}:function"

    @pytest.mark.parametrize("name", ["other", "not_a_function", ""])
    def test_no_such_function(self, net: Path, name: str) -> None:
        assert message(f"{net}:{name}") == f"{net}: has no function {name!r}"

    def test_function_that_raises(self, net: Path) -> None:
        line = NET.splitlines().index('    return x["key"]') + 1
        assert message(f"{net}:fails") == f"{net}:{line}: fails() raised KeyError: 'key'"

    def test_function_that_raises_in_pytorch(self, net: Path) -> None:
        line = next(i for i, text in enumerate(NET.splitlines(), 1) if "fails_inside" in text)
        text = message(f"{net}:fails_inside")
        assert text.startswith(f"{net}:{line}: fails_inside() raised RuntimeError: ")

    def test_function_that_exits(self, net: Path) -> None:
        assert message(f"{net}:leaves").endswith(": leaves() raised SystemExit: usage: net.py FILE")

    def test_file_that_raises(self, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text("import torch\n\nimport no_such_module\n")
        assert message(f"{tmp_path}/bad.py:f") == (
            f"{tmp_path}/bad.py:3: the file raised ModuleNotFoundError: No module named "
            "'no_such_module'"
        )

    def test_file_that_is_no_python(self, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text("def f(:\n")
        assert message(f"{tmp_path}/bad.py:f") == f"{tmp_path}/bad.py:1: invalid syntax"

    @pytest.mark.parametrize(
        ("name", "what"),
        [("nothing", "None"), ("tensor", "Tensor"), ("no_module", "(int, Tensor)")],
    )
    def test_function_that_returns_no_module(self, net: Path, name: str, what: str) -> None:
        assert message(f"{net}:{name}") == (
            f"{net}:{name}: returned {what}, not a torch.nn.Module and its example inputs: return "
            "(module, inputs)"
        )

    def test_function_that_returns_no_inputs(self, net: Path) -> None:
        assert message(f"{net}:module_only") == (
            f"{net}:module_only: returned a module without example inputs: return (module, inputs)"
        )

    @pytest.mark.parametrize("name", ["three", "four"])
    def test_function_that_returns_too_much(self, net: Path, name: str) -> None:
        assert message(f"{net}:{name}").endswith(
            "values: return (module, inputs) or (module, inputs, kwargs), several inputs in a tuple"
        )


@pytest.mark.parametrize("name", ["net.mlir", "net.onnx"])
def test_files_that_are_read_later(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    model = load_model(str(tmp_path / name))
    assert (model.path, model.program) == (tmp_path / name, None)


@pytest.mark.parametrize("text", ["net.tflite", "net", "net.pth", ""])
def test_other_endings(text: str) -> None:
    assert message(text) == (
        f"{text}: not a kind of model that is supported: give file.py:function (the function "
        "returns a "
        "torch.nn.Module and its example inputs), a .pt2 file (torch.export.save), an .onnx file "
        "or an .mlir file "
        "(linalg on tensors)"
    )


@pytest.mark.parametrize("name", ["none.mlir", "none.pt2"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    assert (
        message(tmp_path / name) == f"{tmp_path}/{name}: cannot be read: No such file or directory"
    )


def save(path: Path, model: nn.Module, *inputs: Any, **options: Any) -> Path:
    torch.export.save(torch.export.export(model.eval(), inputs, **options), path)
    return path


class Explosive:
    """Pickles as a call that leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has weights, a buffer that is not saved with the model, a literal, and nested inputs."""
    model = Function(
        lambda self, x: self.net(x["image"]) + self.table.sum() + torch.tensor([1.0] * 10),
        net=ResNet(),
    )
    model.register_buffer("table", torch.ones(3), persistent=False)
    folder = tmp_path_factory.mktemp("pt2")
    return save(folder / "net.pt2", model, {"image": torch.randn(1, 3, 16, 16)})


class TestPt2:
    def test_loads(self, saved: Path) -> None:
        program = load_model(str(saved)).program
        assert isinstance(program, torch.export.ExportedProgram)
        program.module()({"image": torch.randn(1, 3, 16, 16)})

    def test_extra_files_are_ignored(self, tmp_path: Path) -> None:
        program = torch.export.export(nn.ReLU(), (torch.randn(3),))
        torch.export.save(program, tmp_path / "net.pt2", extra_files={"notes.txt": "pruned 8x"})
        load_model(str(tmp_path / "net.pt2"))

    @pytest.mark.parametrize("size", [0, 1, 1000, -1])
    def test_truncated_file(self, saved: Path, tmp_path: Path, size: int) -> None:
        path = tmp_path / "net.pt2"
        path.write_bytes(saved.read_bytes()[:size])
        assert message(path) == (
            f"{path}: cannot be loaded (BadZipFile): the file is damaged, or was saved by another "
            "version "
            f"of PyTorch than {torch.__version__}: save it again with torch.export.save"
        )

    def test_dynamic_shape(self, tmp_path: Path) -> None:
        path = save(
            tmp_path / "net.pt2",
            nn.Conv2d(3, 4, 3),
            torch.randn(2, 3, 8, 8),
            dynamic_shapes={"input": {0: Dim("batch", min=1, max=8)}},
        )
        program = load_model(str(path)).program
        assert isinstance(program, ExportedProgram)
        assert list(map(str, program.range_constraints.values())) == ["VR[1, 8]"]

    @pytest.mark.parametrize(
        "formula",
        [
            "__import__('os').getpid()",
            "Symbol('s0').__class__",
            "Pow(Integer(9), Pow(Integer(9), Integer(9)))",
            "Mul(" * 1000,
            "Symbol('s0', positive=print(1), integer=True)",
            3,
        ],
    )
    def test_size_that_may_hold_code(self, formula: object) -> None:
        with pytest.raises(NiwakiError) as raised:
            check_sizes(Path("net.pt2"), {"graph": [{"as_expr": {"expr_str": formula}}]})
        assert str(raised.value) == (
            "net.pt2: has a size that may hold code: export the model again, with fixed sizes"
        )

    def test_size_that_depends_on_the_data(self, tmp_path: Path) -> None:
        model = Function(lambda self, x: torch.nonzero(x))
        path = save(tmp_path / "net.pt2", model, torch.randn(3))
        assert message(path).startswith(f"{path}: has sizes that depend on the data: ")

    def rewritten(
        self, saved: Path, folder: Path, change: Callable[[dict[str, bytes]], None]
    ) -> Path:
        """A copy of the archive whose members `change` has changed."""
        with zipfile.ZipFile(saved) as archive:
            members = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(folder / "net.pt2", "w") as archive:
            for name, data in members.items():
                archive.writestr(f"net/{name}", data)
        return folder / "net.pt2"

    def test_pickled_weight_is_not_loaded(self, saved: Path, tmp_path: Path) -> None:
        def change(members: dict[str, bytes]) -> None:
            table = json.loads(members["data/weights/model_weights_config.json"])
            entry = table["config"]["net.fc.weight"]
            entry["use_pickle"] = True
            members["data/weights/model_weights_config.json"] = json.dumps(table).encode()
            members[f"data/weights/{entry['path_name']}"] = pickle.dumps(
                Explosive(tmp_path / "mark")
            )

        path = self.rewritten(saved, tmp_path, change)
        assert message(path) == (
            f"{path}: 'net.fc.weight' is pickled, which may hold code: make it a plain tensor"
        )
        assert not (tmp_path / "mark").exists()

    def test_pickled_example_inputs_are_not_loaded(self, saved: Path, tmp_path: Path) -> None:
        def change(members: dict[str, bytes]) -> None:
            torch.save(Explosive(tmp_path / "mark"), tmp_path / "inputs.pt")
            members["data/sample_inputs/model.pt"] = (tmp_path / "inputs.pt").read_bytes()

        path = self.rewritten(saved, tmp_path, change)
        assert "its example inputs are more than tensors, which may hold code" in message(path)
        assert not (tmp_path / "mark").exists()

    @pytest.mark.parametrize(
        "member",
        [
            "data/constants/custom_obj_0",
            "data/constants/opaque_obj_0",
            "data/weights/model.pt",
            "data/constants/model.pt",
            "data/aotinductor/model/model.so",
            "models/other.json",
            "../model.json",
        ],
    )
    def test_member_that_may_hold_code(self, saved: Path, tmp_path: Path, member: str) -> None:
        path = self.rewritten(saved, tmp_path, lambda members: members.update({member: b""}))
        assert message(path) == (
            f"{path}: has a member 'net/{member}' that may hold code: only files that "
            "torch.export.save wrote, of models made of tensors, are loaded"
        )

    def test_two_members_of_one_name(self, saved: Path, tmp_path: Path) -> None:
        path = tmp_path / "net.pt2"
        shutil.copy(saved, path)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("net/models/model.json", b"{}")
        assert "two members of one name" in message(path)

    def test_symbolic_size_is_not_evaluated(self, saved: Path, tmp_path: Path) -> None:
        mark = tmp_path / "mark"

        def change(members: dict[str, bytes]) -> None:
            program = json.loads(members["models/model.json"])
            sizes = next(iter(program["graph_module"]["graph"]["tensor_values"].values()))["sizes"]
            code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
            sizes[0] = {"as_expr": {"expr_str": code, "hint": None}}
            members["models/model.json"] = json.dumps(program).encode()

        message(self.rewritten(saved, tmp_path, change))
        assert not mark.exists()

    def test_function_that_is_no_op_is_not_called(self, saved: Path, tmp_path: Path) -> None:
        def change(members: dict[str, bytes]) -> None:
            program = json.loads(members["models/model.json"])
            program["graph_module"]["graph"]["nodes"][-1]["target"] = "torch.hub.load"
            members["models/model.json"] = json.dumps(program).encode()

        path = self.rewritten(saved, tmp_path, change)
        assert message(path).startswith(f"{path}: cannot be loaded (SpecViolationError): ")


def test_importing_the_package_loads_neither_torch_nor_mlir() -> None:
    code = "import sys, niwaki.frontend; sys.exit(bool({'torch', 'torch_mlir'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_has_no_other_names() -> None:
    import niwaki.frontend

    with pytest.raises(AttributeError, match="has no attribute 'import_keras'"):
        niwaki.frontend.import_keras  # noqa: B018
