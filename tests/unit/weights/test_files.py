"""Files of weights that other libraries wrote: `write_files` says how."""

from __future__ import annotations

import io
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

import niwaki
from niwaki import NiwakiError
from niwaki.weights.scipy_files import read_sparse

FILES = Path(__file__).parent / "files"
REFUSED = {"objects.pth"}
NAMES = sorted({file.name for file in FILES.iterdir()} - {"expected.npz"} - REFUSED)

with np.load(FILES / "expected.npz") as archive:
    EXPECTED = {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "pruned.pth"])
def test_every_file_gives_its_arrays(name: str) -> None:
    found = niwaki.load_weights(FILES / name)
    expected = {key.partition("/")[2]: v for key, v in EXPECTED.items() if key.startswith(name)}
    if name == "masks.pth":  # the weights that have no mask are not listed
        assert not [key for key in found if key.endswith(("_orig", "_mask"))]
        found = {key: found[key] for key in expected}  # type: ignore[assignment]
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].dtype.kind == "f"
        np.testing.assert_array_equal(found[key], array)


def test_what_the_library_lost_is_remarked() -> None:
    (remark,) = niwaki.load_weights(FILES / "bitmask24.safetensors").remarks
    assert remark.layer == "fc"
    assert remark.reason.startswith("read from sparse-24-bitmask, whose library keeps the two lar")
    assert niwaki.load_weights(FILES / "bitmask.safetensors").remarks == []


def test_a_checkpoint_of_training(tmp_path: Path) -> None:
    (remark,) = niwaki.load_weights(FILES / "nested.pth").remarks
    assert str(remark) == (
        "nested.pth: remark: load-weights: its weights are those under 'state_dict'"
    )
    path = tmp_path / "old.pth"  # the format before PyTorch 1.6
    torch.save(nn.Linear(2, 3).state_dict(), path, _use_new_zipfile_serialization=False)
    assert set(niwaki.load_weights(path)) == {"weight", "bias"}


def test_plain_arrays_and_a_folder_of_files(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"fc.weight": np.ones((2, 3), np.float16), "fc.bias": np.arange(2)}
    np.savez(tmp_path / "a.npz", **arrays)
    np.save(tmp_path / "conv.weight.npy", np.zeros((1, 2)))
    (tmp_path / "read.me").write_text("nothing")
    found = niwaki.load_weights(tmp_path)
    assert {name: (array.dtype.name, array.shape) for name, array in found.items()} == {
        "fc.weight": ("float16", (2, 3)), "fc.bias": ("int64", (2,)),
        "conv.weight": ("float64", (1, 2)),
    }  # fmt: skip
    np.save(tmp_path / "fc.bias.npy", np.zeros(2))
    with pytest.raises(NiwakiError, match=r"fc\.bias is in another file of the folder too$"):
        niwaki.load_weights(tmp_path)


def test_constants_of_onnx(tmp_path: Path) -> None:
    dense = np.array([[0, 2, 0], [1, 0, 0]], np.float32)
    values = numpy_helper.from_array(dense[dense != 0], "sparse")
    places = numpy_helper.from_array(np.flatnonzero(dense), "places")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["dense"], ["y"])], "net", [],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2, 3])],
        [numpy_helper.from_array(dense, "dense")],
        sparse_initializer=[helper.make_sparse_tensor(values, places, [2, 3])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), tmp_path / "net.onnx")
    found = niwaki.load_weights(tmp_path / "net.onnx")
    assert set(found) == {"dense", "sparse"}
    for array in found.values():
        np.testing.assert_array_equal(array, dense)


def test_numpy_formats_need_no_pytorch() -> None:
    files = [str(FILES / name) for name in ("csr.npz", "bitmask.safetensors")]
    code = (
        f"import sys, niwaki; [niwaki.load_weights(file) for file in {files}]; "
        "print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"


def archive_of(**members: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


class Code:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must never be printed",)


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "weights are in a file of kind .safetensors, .pt, .pth, .bin, .ckpt, .np"),
        ("a.pth", pickle.dumps(Code()), "no file of torch.save, or damaged: not tensors alone"),
        ("a.pth", saved(Code()), "holds Python objects, which run code when they are loa"),
        ("a.pth", b"nothing", "no file of torch.save, or damaged: "),
        ("a.npz", b"nothing", "no file of NumPy, or damaged: "),
        ("a.npy", pickle.dumps(Code()), "no file of NumPy, or damaged: "),
        ("a.npz", archive_of(x=np.array([Code()])), "holds Python objects, which run code when"),
        ("a.npz", archive_of(), "holds no weights: save the arrays of a network's parameters"),
        ("a.safetensors", b"nothing", "no safetensors file, or damaged: "),
        ("a.npz", archive_of(format=b"lil", shape=[2, 2], data=[1.0]), "sparse format 'lil' is "),
        ("a.npz", archive_of(format=b"csr", shape=[2, 2], data=[1.0]), "a damaged csr array: Ke"),
        ("a.npz", archive_of(w_orig=np.ones(2), w_mask=np.ones(3)), "w_orig is [2] and w_mask [3]"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)  # fmt: skip
def test_files_that_are_refused(
    tmp_path: Path, name: str, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NiwakiError) as caught:
        niwaki.load_weights(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_python_objects_are_refused_by_name() -> None:
    with pytest.raises(
        NiwakiError, match=r"\(torch\.nn\.modules\.conv\.Conv2d\): save the weights"
    ):
        niwaki.load_weights(FILES / "objects.pth")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"none\.pth: cannot be read: No such file or directory$"):
        niwaki.load_weights(tmp_path / "none.pth")
    path: Any = 3
    with pytest.raises(NiwakiError, match=r"^file is the path of a file, not 3$"):
        niwaki.load_weights(path)


CSR = {"format": np.array(b"csr"), "shape": np.array([2, 3]), "data": np.ones(2),
       "indices": np.array([0, 2]), "indptr": np.array([0, 1, 2])}  # fmt: skip
COO = {"format": np.array(b"coo"), "shape": np.array([2, 3]), "data": np.ones(2),
       "row": np.array([0, 1]), "col": np.array([2, 0])}  # fmt: skip


@pytest.mark.parametrize(
    ("members", "change"),
    [
        (CSR, {"indices": np.array([0, 3])}), (CSR, {"indices": np.array([0, -1])}),
        (CSR, {"indptr": np.array([0, 1, 3])}), (CSR, {"indptr": np.array([0, 2])}),
        (CSR, {"indptr": np.array([0, 3, 2])}), (CSR, {"indices": np.array([0])}),
        (CSR, {"shape": np.array([2, -3])}), (CSR, {"shape": np.array([2, 3, 4])}),
        (CSR, {"shape": np.array([2, 2**60])}), (CSR, {"indices": np.array([0.0, 1.0])}),
        (COO, {"row": np.array([0, 2])}), (COO, {"col": np.array([2, 0, 0])}),
        (COO, {"data": np.ones(3)}), (COO, {"coords": np.zeros((3, 2), int)}),
    ],
)  # fmt: skip
def test_members_that_contradict_one_another(members: dict[str, Any], change: Any) -> None:
    assert read_sparse(Path("a.npz"), members).sum() == 2
    with pytest.raises(NiwakiError, match=r"^a\.npz: a damaged (csr|coo) array: \w+Error: "):
        read_sparse(Path("a.npz"), {**members, **change})


@pytest.mark.parametrize("part", ["compressed", "bitmask", "shape"])
def test_damaged_bit_masks(tmp_path: Path, part: str) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(FILES / "bitmask24.safetensors")
    path = tmp_path / "a.safetensors"
    if part != "bitmask":
        save_file({k: v for k, v in tensors.items() if k != f"fc.{part}"}, path)
        with pytest.raises(NiwakiError, match=rf"fc\.{part} is missing: the file is damaged$"):
            niwaki.load_weights(path)
    wrong = tensors[f"fc.{part}"].ravel()[:-1]
    save_file({**tensors, f"fc.{part}": wrong}, path)
    with pytest.raises(NiwakiError, match=r"contradict one another: the file is damaged$"):
        niwaki.load_weights(path)


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """Formats that are read without PyTorch; in each file a few bytes are changed or missing."""
    draw = random.Random(0)
    for number in range(400):
        name = draw.choice([name for name in NAMES if not name.endswith(("pt", "pth"))])
        data = bytearray((FILES / name).read_bytes())
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(data[: draw.choice([len(data), draw.randrange(len(data))])])
        message = refusal(path)
        assert not message or message.startswith(f"{path}: ")
        assert "\n" not in message


def refusal(path: Path) -> str:
    """Empty where the file is read: not every byte matters."""
    try:
        niwaki.load_weights(path)
    except NiwakiError as error:
        return str(error)
    return ""
