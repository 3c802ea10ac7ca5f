"""Writes the files beside it, each by the library whose format it is; and what they must give.

    pip install torch==2.13.0 scipy==1.17.1 compressed-tensors==0.12.2 torch-pruning==1.6.1
    PYTHONPATH=tests python tests/unit/weights/write_files.py

The tests read the files, so that they need none of these libraries. `expected.npz` has the dense
arrays, by file and name: ``csr.npz/csr``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch
import torch_pruning
from compressed_tensors.compressors.base import BaseCompressor
from compressed_tensors.config import BitmaskConfig, Sparse24BitMaskConfig
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune
from unit.weights.pruned_network import pruned_network

FILES = Path(__file__).parent / "files"
EXPECTED: dict[str, Any] = {}


def sparse_matrix(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    """One weight in four; values that bfloat16 and float16 hold exactly."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(-64, 65, (rows, columns), generator=generator) / 32
    return values * (torch.rand(rows, columns, generator=generator) < 0.25)


def expect(file: str, arrays: dict[str, Any]) -> None:
    for name, array in arrays.items():
        array = array.detach().float().numpy() if isinstance(array, torch.Tensor) else array
        EXPECTED[f"{file}/{name}"] = array


def write_scipy() -> None:
    matrix = sparse_matrix(12, 10).numpy()
    kinds = {
        "csr": scipy.sparse.csr_array(matrix),
        "csc": scipy.sparse.csc_matrix(matrix),
        "bsr": scipy.sparse.bsr_array(matrix, blocksize=(4, 5)),
        "coo": scipy.sparse.coo_matrix(matrix),
        "dia": scipy.sparse.dia_array(matrix),
        "coo.3d": scipy.sparse.coo_array(matrix.reshape(3, 4, 10)),
        "coo.4d": scipy.sparse.coo_array(matrix.reshape(3, 4, 2, 5)),
        "coo.1d": scipy.sparse.coo_array(matrix[0]),
        "csr.1d": scipy.sparse.csr_array(matrix[1]),
        "wide.dia": scipy.sparse.dia_array((np.arange(1.0, 13).reshape(3, 4), [-2, 0, 3]), (3, 6)),
        "twice.coo": scipy.sparse.coo_array(([1.0, 2.0, 4.0], ([0, 0, 2], [1, 1, 0])), (3, 2)),
        "empty.csr": scipy.sparse.csr_array((3, 4)),
    }
    for name, array in kinds.items():
        scipy.sparse.save_npz(FILES / f"{name}.npz", array)
        expect(f"{name}.npz", {name: array.toarray()})


def write_torch() -> None:
    matrix = sparse_matrix(12, 10)
    states = {
        "coo.pt": {"a.weight": matrix.to_sparse_coo(), "b": matrix.view(3, 4, 2, 5).to_sparse()},
        "csr.pt": {"fc.weight": matrix.to_sparse_csr()},
        "csc.pt": {"fc.weight": matrix.to_sparse_csc()},
        "bsr.pt": {"fc.weight": matrix.to_sparse_bsr((4, 5))},
        "bsc.pt": {"fc.weight": matrix.to_sparse_bsc((4, 5))},
        "half.pth": {"fc.weight": matrix.bfloat16(), "fc.bias": matrix[0].half()},
    }  # fmt: skip
    for file, state in states.items():
        torch.save(state, FILES / file)
        dense = {
            name: t.to_dense() if t.layout != torch.strided else t for name, t in state.items()
        }
        expect(file, dense)
    torch.save({"epoch": 3, "state_dict": {"module.fc.weight": matrix}}, FILES / "nested.pth")
    expect("nested.pth", {"module.fc.weight": matrix})


def write_masks() -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"fc": nn.Linear(6, 4), "gru": nn.GRU(4, 3)})
    prune.l1_unstructured(model["fc"], "weight", amount=0.5)
    prune.random_unstructured(model["gru"], "weight_hh_l0", amount=0.5)
    torch.save(model.state_dict(), FILES / "masks.pth")
    named = {"fc.weight": model["fc"].weight, "gru.weight_hh_l0": model["gru"].weight_hh_l0}
    expect("masks.pth", named | {"fc.bias": model["fc"].bias})


def write_compressed_tensors() -> None:
    matrix, norm = sparse_matrix(8, 12), torch.tensor([0.5, 2.0])
    state = {
        "fc.weight": matrix,
        "proj.weight": sparse_matrix(4, 9, 1).bfloat16(),
        "norm.weight": norm,
    }
    packer = BaseCompressor.load_from_registry("sparse-bitmask", config=BitmaskConfig())
    packed = packer.compress(dict(state), compression_targets={"fc", "proj"})
    save_file({k: v.contiguous() for k, v in packed.items()}, FILES / "bitmask.safetensors")
    expect("bitmask.safetensors", state)
    dense = torch.arange(1.0, 17).reshape(2, 8)  # not 2:4: the library drops two of every four
    packer = BaseCompressor.load_from_registry("sparse-24-bitmask", config=Sparse24BitMaskConfig())
    packed = packer.compress({"fc.weight": dense}, compression_targets={"fc"})
    save_file({k: v.contiguous() for k, v in packed.items()}, FILES / "bitmask24.safetensors")
    expect("bitmask24.safetensors", {"fc.weight": dense * (torch.arange(8) % 4 >= 2)})


def write_safetensors() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    state = {
        "float8_e4m3": every.view(torch.float8_e4m3fn),
        "float8_e5m2": every.clone().view(torch.float8_e5m2),
        "bfloat16": sparse_matrix(3, 5).bfloat16(), "float16": sparse_matrix(3, 5).half(),
    }  # fmt: skip
    save_file(state, FILES / "types.safetensors")
    expect("types.safetensors", state)


def write_torch_pruning() -> None:
    torch.manual_seed(0)
    model, x = pruned_network().eval(), torch.ones(1, 3, 6, 6)
    importance = torch_pruning.importance.MagnitudeImportance(p=2)
    torch_pruning.pruner.MagnitudePruner(
        model, x, importance=importance, pruning_ratio=0.5, ignored_layers=[model[11]]
    ).step()
    torch.save(model.state_dict(), FILES / "pruned.pth")
    expect("pruned.pth", {"result": model(x)})
    torch.save(torch_pruning.state_dict(model), FILES / "objects.pth")  # refused


if __name__ == "__main__":
    for write in (
        write_scipy, write_torch, write_masks, write_compressed_tensors, write_safetensors,
        write_torch_pruning,
    ):  # fmt: skip
        write()
    np.savez_compressed(FILES / "expected.npz", **EXPECTED)
    print(json.dumps({key: list(np.shape(value)) for key, value in EXPECTED.items()}, indent=1))
