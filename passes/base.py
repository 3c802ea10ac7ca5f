"""What a pass is: a frozen dataclass with a name, options as fields, and `run(module, session)`."""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.elements import F32, Element
from niwaki.errors import NiwakiError
from niwaki.progress import Progress
from niwaki.records import LayerRecord, Remark
from niwaki.targets import Target, get_target

from .agreements import Agreements
from .choice import Chooser
from .detections import Detections

TARGET_ATTRIBUTE = "sparse_pattern.target"
# On a module: numbers of inputs that are states, which the network may change.
STATES = "sparse_pattern.states"
# On a module whose layers add up in f32, whatever the target has arithmetic for.
WIDE_SUMS = "sparse_pattern.wide_sums"


class PassFailure(NiwakiError):
    """Input that a pass cannot handle and must not ignore, at the location of an op."""

    def __init__(self, location: ir.Location, message: str) -> None:
        super().__init__(f"{layer_name(location)}: {message}")
        self.location = location


class BrokenInvariant(Exception):
    """What no input can be the reason of: a bug, found before it makes a wrong number."""

    def __init__(self, location: ir.Location, message: str) -> None:
        super().__init__(f"{layer_name(location)}: {message}")
        self.location = location


@dataclass
class Session:
    """What the passes of one compilation tell besides the IR.

    Attributes:
        remarks: why something was left as it was or what was removed, with its location.
        layers: a record for each layer, made when its weights are packed.
        parameters: arrays that were taken out of the IR, by name; they go to the bundle's weights.
        kernels: family of each kernel, by the kernel's name.
        choose: who chooses kernels; by estimate if nobody does.
        settle: who marks layers that stay f32 where others get a narrower type, in a module whose
            schemes are found, and tells about it; nobody without a tolerance.
        computed: the type in which layers have been told to add up, as code generation must know.
        progress: hears which pass runs, and which layer it has come to.
        detections: what detection has found so far.
        agreements: what networks that share weights have agreed on.
    """

    remarks: list[tuple[ir.Location, Remark]] = field(default_factory=list)
    layers: list[LayerRecord] = field(default_factory=list)
    parameters: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    kernels: dict[str, str] = field(default_factory=dict)
    choose: Chooser | None = None
    settle: Callable[[Any], Sequence[Remark]] | None = None
    computed: Element = F32
    progress: Progress = field(default_factory=Progress)
    detections: Detections = field(default_factory=Detections)
    agreements: Agreements = field(default_factory=Agreements)

    def at(self, op: Any) -> None:
        """Tell that a pass has come to a layer."""
        self.progress.layer(layer_name(op.location))


@dataclass(frozen=True)
class ModulePass(ABC):
    """A transformation of a module. Subclasses register themselves under `name`.

    Fields are options, written `name{some-option=4}` in a pipeline (dashes for underscores); their
    types may be int, float, bool or str and they need defaults.
    """

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if cls.name in REGISTRY:
            raise ValueError(f"two passes are called '{cls.name}'")
        REGISTRY[cls.name] = cls

    @abstractmethod
    def run(self, module: Any, session: Session) -> None:
        """Transform `module` (an `ir.Operation`) in place.

        Raises:
            PassFailure: the module cannot be compiled.
        """

    def remark(self, session: Session, op: Any, reason: str) -> None:
        """Tell the user why `op` was left as it is, or what was removed from it.

        One sentence with its numbers, no full stop.
        """
        session.remarks.append((op.location, Remark(layer_name(op.location), self.name, reason)))

    @classmethod
    def from_options(cls, options: dict[str, str]) -> ModulePass:
        """The pass with options given as text.

        Raises:
            NiwakiError: it has no such option, or the value is not of the option's type.
        """
        fields = {f.name.replace("_", "-"): f for f in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for key, text in options.items():
            if key not in fields:
                known = ", ".join(fields) or "none"
                raise NiwakiError(f"pass '{cls.name}' has no option '{key}': it has {known}")
            values[fields[key].name] = _parse(cls.name, key, text, fields[key].type)
        return cls(**values)

    def spec(self) -> str:
        """The text of a pipeline that gives this pass; round-trips through the pipeline parser."""
        shown = [
            f"{f.name.replace('_', '-')}={_text(getattr(self, f.name))}"
            for f in dataclasses.fields(self)
            if getattr(self, f.name) != f.default
        ]
        return self.name + ("{" + " ".join(shown) + "}" if shown else "")


REGISTRY: dict[str, type[ModulePass]] = {}


def layer_name(location: ir.Location) -> str:
    """Module path of the layer a location names; `line:column` of the file where it names none."""
    located = ir.Location.from_attr(location.attr) if hasattr(location, "attr") else location
    if isinstance(located, ir.NameLoc):
        return str(located.name_str)
    if isinstance(located, ir.FusedLoc):
        names = map(layer_name, located.locations)
        return next((name for name in names if name != "unknown"), "unknown")
    if isinstance(located, ir.CallSiteLoc):
        return layer_name(located.callee)
    if isinstance(located, ir.FileLineColLoc):
        return f"{located.start_line}:{located.start_col}"
    return "unknown"


def target_of(module: Any) -> Target:
    """The target that a module's `sparse_pattern.target` names; the host without that attribute.

    Where layers of the module are to add up in f32, it has arithmetic for nothing else.

    Raises:
        PassFailure: no target has that name.
    """
    if TARGET_ATTRIBUTE not in module.attributes:
        return get_target("host")
    name = module.attributes[TARGET_ATTRIBUTE]
    if not isinstance(name, ir.StringAttr):
        raise PassFailure(module.location, f"needs a string as {TARGET_ATTRIBUTE}, got {name}")
    try:
        target = get_target(name.value)
    except NiwakiError as error:
        raise PassFailure(module.location, str(error)) from error
    return replace(target, computes=()) if WIDE_SUMS in module.attributes else target


def function_ops(module: Any) -> list[Any]:
    """The ops directly inside the module's functions, in program order.

    They are collected first, so that they may be replaced.
    """
    found = []
    for function in module.regions[0].blocks[0].operations:
        if function.operation.name == "func.func":
            for block in function.regions[0].blocks:
                found.extend(block.operations)
    return found


def is_private(function: Any) -> bool:
    """Whether a function is a part of the network, such as a loop's body, and not all of it."""
    return "sym_visibility" in function.attributes


def nested_ops(op: Any) -> Iterator[Any]:
    """All ops in the regions of `op`."""
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                yield inner
                yield from nested_ops(inner)


def replace_operands(op: Any, new: dict[ir.Value, ir.Value]) -> None:
    """Let an op and the ops inside it read `new` values in the places of others."""
    for one in (op, *nested_ops(op)):
        for number, value in enumerate(one.operands):
            if value in new:
                one.operation.operands[number] = new[value]


def erase_unused(module: Any) -> None:
    """Erase ops that compute what nobody uses: replaced layers, absorbed padding, constants."""
    for op in reversed(function_ops(module)):
        pure = op.operation.name.startswith(("linalg.", "tensor.", "arith.", "math."))
        # An op without results works on buffers.
        if pure and op.results and not any(True for result in op.results for _ in result.uses):
            op.operation.erase()


def dense_value(value: Any) -> npt.NDArray[Any] | None:
    """The array of a constant tensor, without a copy; None if `value` is no readable constant."""
    attribute = constant_attribute(value)
    if not isinstance(attribute, ir.DenseElementsAttr):
        return None
    try:
        return np.asarray(attribute)
    except TypeError:  # numpy has no bf16 and nothing below a byte
        return None


def constant_attribute(value: Any) -> ir.Attribute | None:
    """What an `arith.constant` holds; None if `value` is computed, or complex."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != "arith.constant":
        return None
    try:
        return owner.attributes["value"]
    except TypeError:  # the bindings do not know dense complex numbers
        return None


def constant(array: npt.NDArray[Any]) -> ir.Value:
    """An `arith.constant` of a tensor, at the current insertion point and location."""
    attribute = ir.DenseElementsAttr.get(np.asarray(array, order="C"))
    return ir.Operation.create(
        "arith.constant", results=[attribute.type], attributes={"value": attribute}
    ).result


def _parse(owner: str, key: str, text: str, annotation: Any) -> Any:
    kind = getattr(annotation, "__name__", annotation)  # a type, or its name
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "float":
        try:
            return float(text)
        except ValueError:
            pass  # told below
    if kind == "str":
        return text
    raise NiwakiError(f"pass '{owner}' needs {kind} for option '{key}', got '{text}'")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
