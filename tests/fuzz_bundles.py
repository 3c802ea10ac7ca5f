"""Bundles that were changed in random ways: each is refused in one line, or right.

    python tests/fuzz_bundles.py --count 20000

Whoever changes a module together with its digest has written another program, which is run as any
other: that is out of scope, as docs/bundle-format.md says.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import fuzzing
import numpy as np
import tiny_bundle
from damaged_bundles import MANIFEST, MODULE, WEIGHTS, members_of, rewrite
from mutations import mutated_bytes, mutated_fields, mutated_json, mutated_text, to_json

from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord, LayerRecord, Remark
from niwaki.runtime.bundle import Bundle, open_bundle, write_bundle
from niwaki.runtime.layer_times import LayerTimes, RunTime
from niwaki.runtime.report import report_json
from niwaki.runtime.report_page import render
from niwaki.runtime.times_table import times_text
from niwaki.signature import flatten

X = np.linspace(-2, 3, 6, dtype=np.float32).reshape(2, 3)
KINDS = ("bytes", "zip", "json", "json", "json", "text", "index", "code")
_INDEX = 300  # bytes of an archive in which its index lies


@dataclass(frozen=True)
class Mutant:
    """A changed bundle.

    Attributes:
        kind: what was changed.
        contents: the file.
        keeps_weights: whether its network, if it has one, computes what it did.
    """

    kind: str
    contents: bytes
    keeps_weights: bool = True


def original(folder: Path) -> Path:
    """A bundle in which every list of the manifest has something."""
    plain = tiny_bundle.affine_manifest()
    conv = LayerRecord(
        "conv1", "conv 3x3", "pattern(taps=4)", "gather_gemm 8x3x16", 30, 72, 200, 288, "sparse",
        100, 400, (3, 3), ["1a30f5", "0b5100"], 1000, 900,
    )  # fmt: skip
    fc = LayerRecord("fc", "linear", "dense", "", 40, 40, 160, 160)
    manifest = replace(
        plain,
        layers=[conv, conv, fc],
        dispatches=[
            DispatchRecord("conv1", "gather_gemm_1", "gather_gemm"),
            DispatchRecord("fc", "main_dispatch_0_elementwise_6_f32", ""),
        ],
        remarks=[Remark("fc", "detect-schemes", "no zeros"), Remark("x", "y", "z")],
    )
    path = folder / "original.niwaki"
    write_bundle(path, manifest, tiny_bundle.compiled(tiny_bundle.AFFINE), tiny_bundle.WEIGHTS)
    return path


def mutate(seed: int, source: Path, folder: Path) -> Mutant:
    """The bundle `source`, changed in the way of that seed."""
    generator = random.Random(seed)
    members = members_of(source)
    manifest = json.loads(members[MANIFEST])
    kind = generator.choice(
        ("bytes", "bytes", "zip", "json", "json", "json", "text", "index", "code")
    )
    match kind:
        case "bytes":
            data = source.read_bytes()
            other = b"".join(reversed(members.values()))
            return Mutant(kind, mutated_bytes(generator, data, other))
        case "zip":
            return Mutant(kind, _mutated_zip(generator, source.read_bytes(), members))
        case "json":
            members[MANIFEST] = to_json(mutated_json(generator, manifest))
        case "text":
            members[MANIFEST] = mutated_text(generator, members[MANIFEST])
        case "index":
            change = generator.choice((mutated_fields, mutated_bytes))
            index = change(generator, members[WEIGHTS][:_INDEX])
            members[WEIGHTS] = index + members[WEIGHTS][_INDEX:]
            manifest["digests"][WEIGHTS] = hashlib.sha256(members[WEIGHTS]).hexdigest()
            members[MANIFEST] = to_json(manifest)
        case "code":  # its digest stays
            members[MODULE] = mutated_bytes(generator, members[MODULE])
    path = rewrite(folder / "mutant.niwaki", members.items())
    return Mutant(kind, path.read_bytes(), keeps_weights=kind != "index")


def _mutated_zip(generator: random.Random, data: bytes, members: Mapping[str, bytes]) -> bytes:
    """Other headers around the same members."""
    headers = [data.index(contents) for contents in members.values()]
    spans = [(max(0, begin - 64), begin) for begin in headers]
    spans += [(data.rindex(members[WEIGHTS]) + len(members[WEIGHTS]), len(data))] * 3
    begin, end = generator.choice(spans)
    change = generator.choice((mutated_fields, mutated_bytes))
    return data[:begin] + change(generator, data[begin:end]) + data[end:]


def check(mutant: Mutant, folder: Path) -> str:
    """What became of it: ``refused``, ``inspected`` or ``ran``; raises where anything is wrong."""
    path = folder / "mutant.niwaki"
    path.write_bytes(mutant.contents)
    try:
        bundle = open_bundle(path)
    except NiwakiError as error:
        return _refused(error)
    if mutant.kind in ("json", "text"):
        _inspect(bundle)
    try:
        network = bundle.load()
    except NiwakiError as error:
        _refused(error)
        return "inspected"
    results, _ = flatten(network(X))
    if mutant.keeps_weights:
        np.testing.assert_allclose(results[0], tiny_bundle.affine(X), rtol=1e-6)
    return "ran"


def _inspect(bundle: Bundle) -> None:
    """All that is shown of a bundle."""
    manifest = bundle.manifest
    assert bundle.report()
    assert json.dumps(report_json(manifest))
    assert render(bundle, None, "not measured")
    runs = [RunTime(run.layer, run.kernel, run.family, 1e-6) for run in manifest.dispatches]
    assert times_text(manifest, LayerTimes(runs, 2e-6, 1e-6, 10, 1))


def _refused(error: NiwakiError) -> str:
    text = str(error)
    assert text, "no message"
    assert text.isprintable(), repr(text)
    return "refused"


def run(seed: int, source: Path, folder: Path) -> str:
    """Make and check one; what became of it."""
    mutant = mutate(seed, source, folder)
    return f"{mutant.kind}: {check(mutant, folder)}"


if __name__ == "__main__":
    fuzzing.main(original, run)
