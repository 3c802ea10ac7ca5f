"""What an analysis gives, as files: rows of one dataclass as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError


def write_rows(rows: Sequence[Any], path: str | os.PathLike[str]) -> None:
    """Write rows of one kind as a table: .json a list of objects, .csv with a heading.

    What is not known is null, or an empty cell.

    Raises:
        NiwakiError: there are no rows, another kind of file, or it cannot be written.
    """
    if not rows:
        raise NiwakiError(f"{path}: there are no rows to write")
    values = [asdict(row) for row in rows]
    suffix = Path(path).suffix
    if suffix == ".json":
        text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    elif suffix == ".csv":
        text = _csv([field.name for field in fields(rows[0])], values)
    else:
        raise NiwakiError(f"{path}: tables are .json or .csv files: call it so")
    with atomic_file(path) as file:
        file.write(text.encode())


def _csv(names: Sequence[str], values: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(values)
    return text.getvalue()
