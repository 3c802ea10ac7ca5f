"""A few hundred of the bundles that `tests/fuzz_bundles.py` makes."""

from __future__ import annotations

from pathlib import Path

import fuzz_bundles
import fuzzing
import numpy as np
import pytest
import tiny_bundle

import niwaki


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fuzz_bundles.original(tmp_path_factory.mktemp("original"))


def test_refused_or_right(source: Path, tmp_path: Path) -> None:
    findings = fuzzing.fuzz(fuzz_bundles.run, source, range(300), tmp_path)
    assert findings.wrong == []
    for kind in ("bytes", "code", "index", "json", "text", "zip"):
        assert findings.outcomes[f"{kind}: refused"], kind
    for outcome in ("json: inspected", "json: ran", "zip: ran"):
        assert findings.outcomes[outcome], outcome


def test_the_original_is_right(source: Path) -> None:
    result = niwaki.load(source)(fuzz_bundles.X)
    np.testing.assert_allclose(result, tiny_bundle.affine(fuzz_bundles.X), rtol=1e-6)


def test_what_is_found(source: Path, tmp_path: Path) -> None:
    """The first line of each finding names the seed, and the others go on."""

    def check(seed: int, source: Path, folder: Path) -> str:
        if seed == 1:
            raise IndexError("out of\nrange")
        return "fine"

    findings = fuzzing.fuzz(check, source, range(3), tmp_path)
    assert findings.outcomes == {"fine": 2}
    assert findings.wrong == ["seed 1: IndexError in check: out of range"]
