"""Saved programs of PyTorch that were changed in random ways: refused in one line, or imported.

    python tests/fuzz_pt2.py --count 2000

What a changed program computes is its own business: other numbers may be what it says now.
"""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import fuzzing
import torch
import torch_mlir.ir as ir
from mutations import mutated_bytes, mutated_fields, mutated_json, mutated_text, to_json
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.frontend import load_model
from niwaki.frontend.torch_import import import_torch

KINDS = ("bytes", "member", "json", "json", "json", "text")


def original(folder: Path) -> Path:
    """A small network with a convolution, batch-norm, a linear layer and a constant."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16, 5),
    ).eval()  # fmt: skip
    path = folder / "original.pt2"
    torch.export.save(torch.export.export(network, (torch.zeros(1, 3, 4, 4),)), path)
    return path


def mutate(seed: int, source: Path, path: Path) -> str:
    """Write the file `source`, changed in the way of that seed; what was changed."""
    generator = random.Random(seed)
    kind = generator.choice(KINDS)
    if kind == "bytes":
        path.write_bytes(mutated_bytes(generator, source.read_bytes()))
        return kind
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tables = [name for name in members if name.endswith(".json")]
    name = generator.choice(tables if kind in ("json", "text") else list(members))
    match kind:
        case "member":
            change = generator.choice((mutated_fields, mutated_bytes))
            members[name] = change(generator, members[name])
        case "json":
            members[name] = to_json(mutated_json(generator, json.loads(members[name])))
        case "text":
            members[name] = mutated_text(generator, members[name])
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return kind


def run(seed: int, source: Path, folder: Path) -> str:
    """Make one and import it; what became of it."""
    path = folder / "mutant.pt2"
    kind = mutate(seed, source, path)
    try:
        with ir.Context() as context:
            import_torch(load_model(str(path)).program, None, context)
    except NiwakiError as error:
        text = str(error)
        assert text, "no message"
        assert text.isprintable(), repr(text)
        return f"{kind}: refused"
    return f"{kind}: imported"


if __name__ == "__main__":
    fuzzing.main(original, run)
