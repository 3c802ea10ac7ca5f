"""Bundles with some bytes changed, and digests that agree with what they have become."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from niwaki.runtime.container import write_member

MANIFEST, MODULE, WEIGHTS = "manifest.json", "module.vmfb", "weights.irpa"


def members_of(path: Path) -> dict[str, bytes]:
    """What a bundle holds."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def rewrite(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    """A bundle-like file with the given members, digests left as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members:
            write_member(archive, name, len(contents), [contents])
    return path


def with_manifest(source: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The bundle `source` with another manifest."""
    members = members_of(source)
    manifest = json.loads(members[MANIFEST])
    change(manifest)
    return rewrite(path, {**members, MANIFEST: json.dumps(manifest).encode()}.items())


def with_weights(source: Path, path: Path, weights: bytes) -> Path:
    """The bundle `source` with another parameter archive, whose digest is right."""
    digest = hashlib.sha256(weights).hexdigest()
    other = with_manifest(source, path, lambda value: value["digests"].update({WEIGHTS: digest}))
    return rewrite(path, {**members_of(other), WEIGHTS: weights}.items())
