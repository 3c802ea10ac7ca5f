"""A real bundle, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_bundle


@pytest.fixture(scope="session")
def affine_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of `tiny_bundle.AFFINE` for this machine; not to be changed."""
    return tiny_bundle.affine_bundle(tmp_path_factory.mktemp("bundles") / "affine.niwaki")
