"""The manifest of a bundle: what was compiled, for which machine, with which inputs and outputs."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.records import DispatchRecord, LayerRecord, Lengths, Remark, StateRecord
from niwaki.schemes.kernel_sample import digits
from niwaki.signature import DTYPES, Signature, TensorSpec, Tree
from niwaki.states import states_problem

from .json_fields import decode
from .lengths import lengths_problem
from .plan import plan_problem

FORMAT_VERSION = 10
DRIVERS = ("local", "vulkan")
TOGETHER = "together"  # several devices at once
SHA256 = "[0-9a-f]{64}"


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds.

    Attributes:
        niwaki: version of Niwaki that compiled the bundle.
        iree: version of IREE that compiled its module; the same one runs it.
        target: name of the target, as the user typed it.
        driver: kind of device that runs it: ``local`` (CPU), ``vulkan`` or ``together``.
        signature: inputs and outputs, and how they nest.
        architecture: ``platform.machine()`` names that can run it; empty for any.
        cpu_features: names in ``/proc/cpuinfo`` that the machine must list.
        device_features: features of Vulkan that the device must have.
        states: inputs that get what outputs gave in the call before, where calls are steps.
        layers: one record for each layer, in the network's order.
        dispatches: the kernels of one call, in the order they run.
        remarks: what passes declined, and why.
        lengths: what a length is, in a bundle of several; all else tells of the longest one.
        function: name of the module's entry point.
        others: of a bundle for several targets, the manifests of all but the first.
        plan: where several devices run it together, which part of it each runs.
        golden: sha256 of the member with golden inputs and outputs; empty without one.
        golden_slack: how far each of these outputs moves when inputs are a little off, from 0 to 1.
        digests: sha256 of module and weights, in hexadecimal; filled in by `write_bundle`.
        format_version: raised whenever a reader of the older format could misread the bundle.
    """

    niwaki: str
    iree: str
    target: str
    driver: str
    signature: Signature
    architecture: tuple[str, ...] = ()
    cpu_features: tuple[str, ...] = ()
    device_features: tuple[str, ...] = ()
    states: list[StateRecord] = field(default_factory=list)
    layers: list[LayerRecord] = field(default_factory=list)
    dispatches: list[DispatchRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    lengths: Lengths = field(default_factory=Lengths)
    function: str = "main"
    others: list[Manifest] = field(default_factory=list)
    plan: Plan = field(default_factory=lambda: Plan())
    golden: str = ""
    golden_slack: list[float] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def to_json(self) -> dict[str, Any]:
        """The manifest as JSON values; `format_version` comes first, for people who look."""
        return {"format_version": self.format_version, **dataclasses.asdict(self)}

    def to_bytes(self) -> bytes:
        """The bytes of `manifest.json`; the same manifest gives the same bytes."""
        return (json.dumps(self.to_json(), indent=1) + "\n").encode()


@dataclass(frozen=True)
class Stage:
    """A part of a network that one device runs in one go.

    Attributes:
        manifest: what was compiled, which takes tensors one by one and gives a tuple of them.
        inputs: for each input where it comes from: a stage's number, counted from 1, and that of
            its output; or 0 and the number of an input of the whole network.
        begin_ns, end_ns: when it runs in a call, as planned.
    """

    manifest: Manifest
    inputs: list[list[int]]
    begin_ns: int
    end_ns: int


@dataclass(frozen=True)
class Plan:
    """A network on several devices at once.

    Attributes:
        stages: each reads only what stages before it give; those for one target run in this order.
        outputs: for each of the network's where it comes from, as stages' inputs are told.
        planned_ns: what a call takes, as planned.
        alone_ns: what it was estimated to take on each target alone.
    """

    stages: list[Stage] = field(default_factory=list)
    outputs: list[list[int]] = field(default_factory=list)
    planned_ns: int = 0
    alone_ns: dict[str, int] = field(default_factory=dict)


def read_manifest(data: bytes, path: str) -> Manifest:
    """The manifest in `data`, the bytes of `manifest.json` of the bundle at `path`.

    Raises:
        NiwakiError: it is not JSON, of another format version, or a field is missing, unknown or
        wrong.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise NiwakiError(
            f"{path}: manifest.json is not valid JSON; compile the model again"
        ) from None
    where = f"{path}: manifest.json"
    if not isinstance(value, dict) or "format_version" not in value:
        raise NiwakiError(f"{where}: field 'format_version' is missing")
    # Before all else: a manifest of another version may have other fields.
    version = value["format_version"]
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise NiwakiError(
            f"{path}: bundle format is {version!r}, this Niwaki reads {FORMAT_VERSION}; "
            "compile the model again with this version"
        )
    try:
        manifest = decode(Manifest, value, where)
        _check(manifest, where)
    except RecursionError:  # manifests in manifests, or nested outputs, as nobody writes them
        raise NiwakiError(f"{where} is nested too deeply; compile the model again") from None
    return manifest


def _check(manifest: Manifest, where: str) -> None:
    """What the types of the fields do not say."""
    if manifest.golden and not re.fullmatch(SHA256, manifest.golden):
        raise NiwakiError(f"{where}.golden must be a sha256 in hexadecimal, or empty")
    if len(manifest.golden_slack) != (len(manifest.signature.outputs) if manifest.golden else 0):
        raise NiwakiError(f"{where}.golden_slack must have a number for each golden output")
    if any(slack > 1 for slack in manifest.golden_slack):
        raise NiwakiError(f"{where}.golden_slack must have numbers from 0 to 1")
    targets = [one.target for one in (manifest, *manifest.others)]
    if len(set(targets)) < len(targets):
        raise NiwakiError(f"{where}.others must be for targets that differ: {', '.join(targets)}")
    for i, other in enumerate(manifest.others):
        _check_other(other, manifest, f"{where}.others[{i}]")
    if manifest.driver not in (*DRIVERS, TOGETHER):
        raise NiwakiError(
            f"{where}.driver must be one of {', '.join((*DRIVERS, TOGETHER))}, got "
            f"'{manifest.driver}'"
        )
    _check_plan(manifest, f"{where}.plan")
    for name, digest in manifest.digests.items():
        if not re.fullmatch(SHA256, digest):
            raise NiwakiError(f"{where}.digests.{name} must be a sha256 in hexadecimal")
    for i, layer in enumerate(manifest.layers):
        _check_sample(layer, f"{where}.layers[{i}]")
    for i, shorter in enumerate(manifest.lengths.shorter):
        for j, layer in enumerate(shorter.layers):
            _check_sample(layer, f"{where}.lengths.shorter[{i}].layers[{j}]")
    signature = manifest.signature
    for group, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        for i, spec in enumerate(specs):
            _check_spec(spec, f"{where}.signature.{group}[{i}]")
    _check_tree(signature.input_tree, len(signature.inputs), f"{where}.signature.input_tree")
    _check_tree(signature.output_tree, len(signature.outputs), f"{where}.signature.output_tree")
    _check_states(manifest, f"{where}.states")
    if problem := lengths_problem(manifest):
        raise NiwakiError(f"{where}.lengths: {problem}")
    match signature.input_tree:
        case {"tuple": [{"tuple": _}, {"dict": _}]}:
            return
    raise NiwakiError(f"{where}.signature.input_tree must be a tuple of a tuple and a dict")


def _check_other(other: Manifest, first: Manifest, where: str) -> None:
    """Code for another target is of the same network."""
    if other.others or other.golden or other.golden_slack:
        raise NiwakiError(f"{where} must have no others, and no golden outputs of its own")
    same = ("signature", "states", "iree", "format_version")
    for name in same:
        if getattr(other, name) != getattr(first, name):
            raise NiwakiError(f"{where}.{name} must be that of the first target")
    if networks_of(other) != networks_of(first):
        raise NiwakiError(f"{where}.lengths must be those of the first target")
    _check(other, where)


def _check_plan(manifest: Manifest, where: str) -> None:
    for i, stage in enumerate(manifest.plan.stages):
        one, place = stage.manifest, f"{where}.stages[{i}]"
        if one.others or one.golden or one.plan.stages or one.states or one.lengths.inputs:
            raise NiwakiError(f"{place}.manifest must be of a network for one target alone")
        if (one.iree, one.format_version) != (manifest.iree, manifest.format_version):
            raise NiwakiError(f"{place}.manifest must be of the same release as the whole")
        _check(one, f"{place}.manifest")
    if problem := plan_problem(manifest):
        raise NiwakiError(f"{where}{problem}")


def networks_of(manifest: Manifest) -> tuple[list[int], list[list[int]]]:
    """Which networks of other lengths there are, and what a length is."""
    lengths = manifest.lengths
    return [record.length for record in lengths.shorter], lengths.inputs


def _check_sample(layer: LayerRecord, where: str) -> None:
    """A picture is drawn of it, of kernels as large as it says."""
    width = digits(math.prod(layer.kernel_size)) if layer.kernel_size else 0
    for row in layer.sample:
        if not re.fullmatch("[0-9a-f]+", row) or not width or len(row) % width:
            raise NiwakiError(f"{where}.sample must hold kernels of its kernel_size, as hex digits")


def _check_states(manifest: Manifest, where: str) -> None:
    signature = manifest.signature
    for i, state in enumerate(manifest.states):
        if state.input >= len(signature.inputs) or state.output >= len(signature.outputs):
            raise NiwakiError(f"{where}[{i}] must hold positions of an input and an output")
    if problem := states_problem(signature, manifest.states):
        raise NiwakiError(f"{where}: {problem}")


def _check_spec(spec: TensorSpec, where: str) -> None:
    if spec.dtype not in DTYPES:
        raise NiwakiError(f"{where}.dtype must be one of {', '.join(DTYPES)}, got '{spec.dtype}'")


def _check_tree(tree: Tree, count: int, where: str) -> None:
    """Leaves must be 0 to `count` - 1, each once and in order, as `flatten` numbers them."""
    leaves: list[int] = []

    def visit(node: Any) -> None:
        match node:
            case bool():
                pass
            case int():
                leaves.append(node)
                return
            case None:
                return
            case {"tuple": list(children)} | {"list": list(children)} if len(node) == 1:
                for child in children:
                    visit(child)
                return
            case {"dict": dict(children)} if len(node) == 1:
                for child in children.values():
                    visit(child)
                return
        raise NiwakiError(f"{where} has a node that is no tensor, tuple, list or dict")

    visit(tree)
    if leaves != list(range(count)):
        raise NiwakiError(f"{where} must hold each of its {count} tensors once, in order")
