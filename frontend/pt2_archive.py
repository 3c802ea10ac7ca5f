"""Reading .pt2 files without running code from them.

`torch.export.load` of PyTorch 2.13 is not safe for a file of unknown origin. It unpickles weights
and constants that the archive's tables mark so, TorchScript and opaque objects, and example inputs
that are more than tensors; it loads the shared libraries of an AOTInductor package; it evaluates
symbolic sizes as Python (`sympy.sympify`). So the archive is looked through first, and only one of
plain tensors and harmless sizes is handed on.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import torch
from torch.export import ExportedProgram

from niwaki.errors import NiwakiError
from niwaki.frontend.pt2_sizes import check_sizes
from niwaki.frontend.recorded_sizes import check_recorded_sizes, has_open_sizes
from niwaki.frontend.torch_export import quiet

# What torch.export.save writes, below a folder named after the file. Anything else might be code.
_MEMBERS = re.compile(
    r"models/model\.json"
    r"|data/(weights|constants)/model_(weights|constants)_config\.json"
    r"|data/weights/weight_\d+|data/constants/tensor_\d+"
    r"|data/sample_inputs/model\.pt"
    r"|extra/.*|archive_format|archive_version|version|byteorder|\.data/(version|serialization_id)|\.format_version"
    r"|\.storage_alignment"
)
_TABLES = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")


def load_pt2(path: Path) -> ExportedProgram:
    """The program saved in `path`.

    Raises NiwakiError where the file is damaged or contradicts itself, was not written by
    torch.export.save, or holds anything that would run code.
    """
    try:
        _check_archive(path)
        with quiet():
            program = torch.export.load(path)
            program.module()  # asks for parts that loading only stores
            # Open sizes are found out anew, for those that are chosen.
            if not has_open_sizes(program):
                check_recorded_sizes(program)
            return program
    except NiwakiError:
        raise
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # whatever a damaged file brings
        raise NiwakiError(
            f"{path}: cannot be loaded ({type(error).__name__}): the file is damaged, or was saved "
            f"by another version of PyTorch than {torch.__version__}: save it again with "
            "torch.export.save"
        ) from error


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise NiwakiError(
                f"{path}: the archive has two members of one name: save it again with "
                "torch.export.save"
            )
        roots = {name.partition("/")[0] for name in names}
        members = {name.partition("/")[2]: name for name in names}
        for member in members:
            if len(roots) != 1 or not _MEMBERS.fullmatch(member):
                raise NiwakiError(
                    f"{path}: has a member {members[member]!r} that may hold code: only files that "
                    "torch.export.save wrote, of models made of tensors, are loaded"
                )
        for table in _TABLES:
            for name, entry in json.loads(archive.read(members[table]))["config"].items():
                if entry["use_pickle"]:
                    raise NiwakiError(
                        f"{path}: {name!r} is pickled, which may hold code: make it a plain tensor"
                    )
        _check_sample_inputs(path, archive.read(members["data/sample_inputs/model.pt"]))
        check_sizes(path, json.loads(archive.read(members["models/model.json"])))


def _check_sample_inputs(path: Path, data: bytes) -> None:
    if not data:
        return
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception as error:  # torch.export.load would unpickle it all the same
        raise NiwakiError(
            f"{path}: its example inputs are more than tensors, which may hold code: export with "
            "tensors, alone or in tuples, lists and dicts"
        ) from error
