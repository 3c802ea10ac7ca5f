"""Bundles: a compiled network in one file. `docs/bundle-format.md` describes the format."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from niwaki.arguments import check_path
from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError
from niwaki.records import LayerRecord
from niwaki.targets import MOST_TARGETS

from .arrays import aligned_empty
from .bundle_file import BundleFile, Part
from .container import Member, read_members, write_member
from .golden import Golden, golden_size, read_golden
from .lengths import networks
from .manifest import Manifest, read_manifest
from .parameter_archive import archive, check_archive
from .plan import MOST_STAGES
from .report import report_text

if TYPE_CHECKING:
    from .layer_times import LayerTimes
    from .network import Network

MANIFEST, MODULE, WEIGHTS, GOLDEN = "manifest.json", "module.vmfb", "weights.irpa", "golden.bin"
# The network for each target alone, and in stages.
MOST_MODULES = MOST_TARGETS + MOST_STAGES
_NAME_AT = 30  # place of the first member's name in a zip archive


@dataclass(frozen=True, repr=False)
class Bundle:
    """An open bundle, whose contents have been checked.

    It can be pickled: what arrives opens the same file again.

    Attributes:
        path: the file.
        manifest: what was compiled, for which machine, with which inputs and outputs.
        module: IREE's module.
        weights: IREE's parameter archive, which stays in the file until a network is loaded.
        length: of what `at` gives, the length; else 0.
        others: the same network for other targets.
        golden: what it must give, wherever it runs; None where nothing says so.
        stages: where several devices run it together, the part of the network that each of the
            plan's stages runs; then it has no module and weights of its own.
    """

    path: Path
    manifest: Manifest
    module: memoryview
    weights: Part
    length: int = 0
    others: tuple[Bundle, ...] = ()
    golden: Golden | None = None
    stages: tuple[Bundle, ...] = ()

    @property
    def leaves(self) -> tuple[Bundle, ...]:
        """What has a module: its stages, or itself."""
        return self.stages or (self,)

    @property
    def digests(self) -> list[Mapping[str, str]]:
        """Of its modules and weights."""
        return [leaf.manifest.digests for leaf in self.leaves]

    @property
    def parts(self) -> tuple[Bundle, ...]:
        """The network for each target, as a bundle for that one alone, and for all together."""
        return (replace(self, others=(), golden=None), *self.others)

    @property
    def layers(self) -> list[LayerRecord]:
        """One record for each layer, in the order they run, for the first target."""
        return self.manifest.layers

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths that it has a network for, ascending; none where it has one network."""
        return tuple(filter(None, networks(self.manifest)))

    def at(self, length: int) -> Bundle:
        """The network for one length alone, as a bundle.

        Raises:
            NiwakiError: there is none.
        """
        if length not in self.lengths:
            known = ", ".join(map(str, self.lengths)) or "one network, without lengths"
            raise NiwakiError(f"{self.path} has no network of length {length}: it has {known}")
        manifest = networks(self.manifest)[length]
        others = [other.at(length) for other in self.others]
        golden = self.golden if length == self.lengths[-1] else None
        return replace(self, manifest=manifest, length=length, others=tuple(others), golden=golden)

    def for_target(self, name: str) -> Bundle:
        """The network for one target alone, as a bundle.

        Raises:
            NiwakiError: there is none.
        """
        for part in self.parts:
            if part.manifest.target == name:
                return replace(part, golden=self.golden)
        known = ", ".join(part.manifest.target for part in self.parts)
        raise NiwakiError(f"{self.path} has no code for target '{name}': it has {known}")

    def report(self) -> str:
        """A table of the layers: scheme, kernel, kept weights, bytes, why a layer stayed dense."""
        return report_text(self.manifest)

    def load(
        self, threads: int = 1, device: str | None = None, share_weights: bool = False
    ) -> Network:
        """The network, ready to run. Arguments and errors as `niwaki.load`."""
        from .network import Network

        return Network(self, threads, device, share_weights)

    def time_layers(self, threads: int = 1) -> LayerTimes:
        """How long each kernel of a call runs, in seconds. Errors as `layer_times.time_layers`."""
        from .layer_times import time_layers

        return time_layers(self, threads)

    def write_report(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        """Write a page about this bundle, HTML in one file. Errors as `report_page.write_report`.

        It has times where the bundle runs on this machine's CPU, and says why where not.
        """
        from .report_page import write_report

        write_report(self, path, threads)

    def __reduce__(self) -> tuple[Any, ...]:
        targets = tuple(part.manifest.target for part in self.parts)
        digests = [part.digests for part in self.parts]
        return _reopen, (os.path.abspath(self.path), targets, digests, self.length)

    def __repr__(self) -> str:
        return f"<Bundle {self.path} for {self.manifest.target}, {len(self.layers)} layers>"


@dataclass(frozen=True)
class Compiled:
    """What was compiled for one target.

    Attributes:
        manifest: all but `digests`, which `write_bundle` computes.
        module: IREE's.
        weights: parameters that the module reads from scope ``model``.
        stages: where several devices run it together, what was compiled for each stage of the plan;
            then there is no module.
    """

    manifest: Manifest
    module: bytes
    weights: Mapping[str, np.ndarray]
    stages: Sequence[Compiled] = ()


def write_bundle(
    path: str | os.PathLike[str],
    manifest: Manifest,
    vmfb: bytes,
    weights: Mapping[str, np.ndarray],
    others: Sequence[Compiled] = (),
    golden: Golden | None = None,
) -> None:
    """Write a bundle; the same arguments give the same bytes. The file appears whole or not at all.

    Args:
        path: the file to write; one that exists is replaced.
        manifest, vmfb, weights: as `Compiled` has them.
        others: the same network for other targets.
        golden: inputs, and what the network must give for them.

    Raises:
        NiwakiError: the file cannot be written.
    """
    members: dict[str, list[bytes | memoryview]] = {}
    parts = (Compiled(manifest, vmfb, weights), *others)
    manifests = [_add_members(part, members) for part in parts]
    if golden is not None:
        members[GOLDEN] = list(golden.pieces())
    digest, slack = ("", []) if golden is None else (_sha256(members[GOLDEN]), golden.slack)
    whole = replace(manifests[0], others=manifests[1:], golden=digest, golden_slack=slack)
    members = {MANIFEST: [whole.to_bytes()], **members}
    with atomic_file(path) as file, zipfile.ZipFile(file, "w") as container:
        for name, contents in members.items():
            write_member(container, name, sum(map(len, contents)), contents)


def _add_members(part: Compiled, members: dict[str, list[bytes | memoryview]]) -> Manifest:
    """Add what was compiled to a bundle's members; returns the manifest with their digests."""
    if part.stages:
        plan = part.manifest.plan
        stages = [
            replace(stage, manifest=_add_members(compiled, members))
            for stage, compiled in zip(plan.stages, part.stages, strict=True)
        ]
        return replace(part.manifest, plan=replace(plan, stages=stages))
    module: list[bytes | memoryview] = [part.module]
    packed: list[bytes | memoryview] = list(archive(part.weights))
    members.update(zip(part_members(len(members) // 2), (module, packed), strict=True))
    return replace(part.manifest, digests={MODULE: _sha256(module), WEIGHTS: _sha256(packed)})


def part_members(number: int) -> tuple[str, str]:
    """Names of the members of a bundle's part: its module, its weights."""
    module, weights = (name.partition(".")[::2] for name in (MODULE, WEIGHTS))
    place = f"-{number}" if number else ""
    return f"{module[0]}{place}.{module[1]}", f"{weights[0]}{place}.{weights[1]}"


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Open and check a bundle; its weights stay in the file.

    Nothing here depends on this machine: a bundle for a phone opens on a server.

    Raises:
        NiwakiError: no such file, not a bundle, of another format version, truncated or altered.
    """
    name = _file_name(path)
    try:
        file = BundleFile(name)
        if not file.size:
            raise NiwakiError(f"{name} is not a Niwaki bundle: it is empty")
        others = [name for number in range(1, MOST_MODULES) for name in part_members(number)]
        needed = (MANIFEST, MODULE, WEIGHTS)
        return _checked(file, read_members(file, needed, (*others, GOLDEN)))
    except FileNotFoundError:
        raise NiwakiError(
            f"{name} does not exist; write it with `niwaki compile MODEL -o {name}`"
        ) from None
    except OSError as error:
        raise NiwakiError(f"cannot read {name}: {error.strerror or error}") from None


def _reopen(
    path: str, targets: Sequence[str], digests: Sequence[list[Mapping[str, str]]], length: int
) -> Bundle:
    """The bundle that was pickled, or of it the network for one target or for `length`."""
    bundle = open_bundle(path)
    found = {part.manifest.target: part.digests for part in bundle.parts}
    if [found.get(target) for target in targets] != digests:
        raise NiwakiError(f"{path} is another bundle than the one that was pickled: load it anew")
    if len(targets) < len(found):
        bundle = bundle.for_target(targets[0])
    return bundle.at(length) if length else bundle


def _file_name(path: str | os.PathLike[str]) -> str:
    check_path("bundle", path)
    name = os.fsdecode(path)
    if "\0" in name:
        raise NiwakiError(f"cannot read {name}: no file can have a zero byte in its name")
    return name


def may_replace(path: Path) -> bool:
    """Whether a bundle may be written over a file: over another, also a damaged one, or nothing.

    Not over what somebody named by mistake: a network, weights, a device.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            begin = file.read(_NAME_AT + len(MANIFEST))
    except OSError:
        return False
    return not begin or (begin.startswith(b"PK") and begin[_NAME_AT:] == MANIFEST.encode())


def _checked(file: BundleFile, members: Mapping[str, Member]) -> Bundle:
    # The manifest holds the digests, so only the zip's own checksum can vouch for the manifest.
    text = _contents(file, members[MANIFEST])
    if zlib.crc32(text) != members[MANIFEST].crc:
        raise _altered(file.path, MANIFEST)
    manifest = read_manifest(bytes(text), file.path)
    manifests = [manifest, *manifest.others]
    leaves = [leaf for one in manifests for leaf in leaves_of(one)]
    expected = {MANIFEST, *([GOLDEN] if manifest.golden else [])}
    expected.update(name for number in range(len(leaves)) for name in part_members(number))
    if len(leaves) > MOST_MODULES or expected != members.keys():
        raise NiwakiError(
            f"{file.path} is damaged: its members are not those that manifest.json tells of"
        )
    checked = iter(_checked_part(file, members, number, one) for number, one in enumerate(leaves))
    first, *others = (_whole(file, one, checked) for one in manifests)
    return replace(first, others=tuple(others), golden=_checked_golden(file, members, manifest))


def leaves_of(manifest: Manifest) -> list[Manifest]:
    """Those that have a module: of its stages, or itself."""
    return [stage.manifest for stage in manifest.plan.stages] or [manifest]


def _whole(file: BundleFile, manifest: Manifest, leaves: Iterator[Bundle]) -> Bundle:
    """A part of a bundle, of the next leaves."""
    if not manifest.plan.stages:
        return next(leaves)
    stages = tuple(next(leaves) for _ in manifest.plan.stages)
    nothing = Part(file, 0, 0, digest="")
    return Bundle(Path(file.path), manifest, memoryview(b""), nothing, stages=stages)


def _checked_part(
    file: BundleFile, members: Mapping[str, Member], number: int, manifest: Manifest
) -> Bundle:
    module_name, weights_name = part_members(number)
    if manifest.digests.keys() != {MODULE, WEIGHTS}:
        raise NiwakiError(
            f"{file.path}: manifest.json must hold the digests of {MODULE} and {WEIGHTS}"
        )
    module = _contents(file, members[module_name])
    if _sha256([module]) != manifest.digests[MODULE]:
        raise _altered(file.path, module_name)
    member = members[weights_name]
    weights = Part(file, member.begin, member.size, digest=manifest.digests[WEIGHTS])
    if not weights.is_intact():
        raise _altered(file.path, weights_name)
    check_archive(weights)
    return Bundle(Path(file.path), manifest, module, weights)


def _checked_golden(
    file: BundleFile, members: Mapping[str, Member], manifest: Manifest
) -> Golden | None:
    if not manifest.golden:
        return None
    contents = _contents(file, members[GOLDEN])
    if _sha256([contents]) != manifest.golden:
        raise _altered(file.path, GOLDEN)
    if len(contents) != golden_size(manifest.signature):
        raise NiwakiError(f"{file.path}: {GOLDEN} must have what the signature says")
    return read_golden(contents, manifest.signature, manifest.golden_slack)


def _contents(file: BundleFile, member: Member) -> memoryview:
    """A copy of a member, aligned as IREE needs its module."""
    copy = aligned_empty((member.size,), np.uint8).data
    file.read_into(member.begin, copy)
    return copy.toreadonly()


def _altered(path: str, name: str) -> NiwakiError:
    return NiwakiError(
        f"{path} is truncated or altered: {name} does not match its digest; compile the model again"
    )
