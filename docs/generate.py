"""Write docs/pipeline.md: a small network's IR after each pass (`make docs`).

    python docs/generate.py             write it anew
    python docs/generate.py --check     compare with what is there; exit code 1 where they differ

What a pass does is told by its module's docstring. The target is named, so that every machine
writes the same file; IREE's code generator does not run.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import REGISTRY, Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE
from niwaki.passes.kernels import gather_gemm
from niwaki.passes.pipelines import compile_pipeline
from niwaki.targets import get_target

OUTPUT = Path(__file__).resolve().parent / "pipeline.md"
TARGET, GPU_TARGET = "x86-64-v4", "vulkan"

WIDTH = 96  # columns of IR
SHOWN_ELEMENTS = 8  # constants of more elements are elided
SHOWN_LOOP = 30  # lines of a kernel's inner loop
# A pass that leaves this share of the lines as they were is shown as a difference.
ALIKE = 0.75

# MLIR's own passes have no docstring here.
MLIR_PASSES = {
    "canonicalize": ("Fold constants, remove what nobody uses.", "MLIR's own."),
    "cse": ("Compute only once what is computed twice.", "MLIR's own."),
}

CLEAN_UP = ("canonicalize", "cse")
NOTHING = "Here it finds nothing to do."
AS_IT_IS = "It leaves all as it is."

# Where a line of IR that is too long is broken: always before these, then after commas as needed.
STRUCTURE = re.compile(r" (?=ins\(|outs\(|\{\w+ = |: \(|-> |attributes )")
COMMAS = re.compile(r"(?<=,) (?=%|[\w.]+ = |tensor<|memref<|array<)")


class Example(nn.Module):
    """A residual block, and a convolution of stride 2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 16, 3, padding=1)
        self.down = nn.Conv2d(16, 16, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(x) + x)
        return nn.functional.silu(self.down(x))


def punch(conv: nn.Conv2d, *taps: list[int]) -> None:
    """Keep, in each block of 8 filters, these of the 9 taps of every kernel."""
    kept = torch.zeros(len(taps), 8, 16, 9)
    for block, places in enumerate(taps):
        kept[block, :, :, places] = 1
    conv.weight.data *= kept.reshape(conv.weight.shape)


def example() -> tuple[nn.Module, torch.Tensor]:
    """The network, which keeps 2 of 9 weights, and an input."""
    torch.manual_seed(0)
    model = Example().eval()
    punch(model.conv, [1, 4], [4, 7])
    punch(model.down, [0, 4], [4, 8])
    return model, torch.zeros(1, 16, 12, 12)


@dataclass
class Stage:
    """A pass and the module after it.

    Attributes:
        name: the pass; empty for the imported module.
        text: IR with long constants elided.
        ops: how many ops the module has.
    """

    name: str
    text: str
    ops: int

    @property
    def main(self) -> str:
        """The network's function."""
        return self.text[self.text.index("  func.func @main") : self.text.rindex("}")]

    @property
    def has_kernels(self) -> bool:
        """Whether layers are kernels already: too much IR to show all of it."""
        return "func.func private @" in self.text or "stream.executable" in self.text


def stages(session: Session) -> list[Stage]:
    """The example after import and after each pass; `session` gets what the passes tell."""
    from torch_mlir import ir

    model, image = example()
    with context() as ctx:
        module = import_torch(model, image, ctx).module.operation
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(TARGET)
        found = [stage("", module)]
        for element in parse_pipeline(compile_pipeline(get_target(TARGET))):
            run_pipeline(module, [element], session)
            found.append(stage(element if isinstance(element, str) else element.name, module))
    return found


def stage(name: str, module: Any) -> Stage:
    """`module` as it is now, after the pass called `name`."""
    text = module.get_asm(large_elements_limit=SHOWN_ELEMENTS, use_name_loc_as_prefix=True)
    return Stage(name, text.replace("dense_resource<__elided__>", "dense<...>"), count(module))


def count(op: Any) -> int:
    """How many ops an op consists of."""
    inner = (i.operation for region in op.regions for block in region for i in block.operations)
    return 1 + sum(map(count, inner))


class Layouts:
    """Short names for layouts, the same ones through the whole document."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def shorten(self, text: str) -> str:
        """IR that begins with definitions of the names it uses; it is still MLIR."""
        pattern = r"#sparse_pattern\.planar<(?:[^<>]|<[^<>]*>)*>"
        text = re.sub(pattern, lambda match: self._name(match[0]), text)
        used = {layout: name for layout, name in self.names.items() if f"{name}>" in text}
        return "".join(f"{name} = {layout}\n" for layout, name in used.items()) + text

    def _name(self, layout: str) -> str:
        return self.names.setdefault(layout, f"#layout{len(self.names)}")


def broken(line: str) -> Iterator[str]:
    """A line of IR, in several where it is too long."""
    indent = " " * (len(line) - len(line.lstrip()))
    first, *others = STRUCTURE.split(line.strip())
    current = indent + first
    for segment in others:
        if len(current) + 1 + len(segment) <= WIDTH:
            current += f" {segment}"
        else:
            yield from _broken_after_commas(current)
            current = f"{indent}    {segment}"
    yield from _broken_after_commas(current)


def _broken_after_commas(line: str) -> Iterator[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    first, *others = COMMAS.split(line.strip())
    current = indent + first
    for piece in others:
        if len(current) + 1 + len(piece) <= WIDTH:
            current += f" {piece}"
        else:
            yield current
            current = f"{indent}  {piece}"
    yield current


def fenced(text: str, language: str = "mlir") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def shown(text: str, layouts: Layouts) -> list[str]:
    """Lines of IR as the document has them."""
    return [part for line in layouts.shorten(text).splitlines() for part in broken(line)]


def change(before: Stage, after: Stage, layouts: Layouts) -> str:
    """The module after a pass: whole, or as a difference where that is short."""
    if before.text == after.text:
        return NOTHING
    old, new = shown(before.text, layouts), shown(after.text, layouts)
    if difflib.SequenceMatcher(None, old, new, autojunk=False).ratio() < ALIKE:
        return fenced("\n".join(new))
    difference = difflib.unified_diff(old, new, n=1, lineterm="")
    lines = ["..." if line.startswith("@@") else line for line in difference]
    return "What changes:\n\n" + fenced("\n".join([*lines[2:], "..."]), "diff")


def lowered(after: Stage, layouts: Layouts) -> str:
    """What lowering made: the network as calls, and the signatures of its kernels."""
    kernels = re.findall(r"^  func\.func private @.*$", after.text, re.MULTILINE)
    signatures = "\n".join("\n".join(shown(kernel, layouts)) + "...}" for kernel in kernels)
    return "\n\n".join(
        [
            "The network calls kernels now:",
            fenced("\n".join(shown(after.main, layouts))),
            f"With its {len(kernels)} kernels the module has {after.ops:,} ops. Layers that differ"
            " in nothing but their weights share a kernel. Signatures:",
            fenced(signatures),
            "Gather-GEMM in short, from [`gather_gemm.py`](../passes/kernels/gather_gemm.py):",
            fenced(code_of(gather_gemm.__doc__), "text"),
            *paragraphs(gather_gemm.gather_gemm_kernel.__doc__),
        ]
    )


def cleaned(before: Stage, after: Stage) -> str:
    """What MLIR's clean-up did; the inner loop where kernels are clean."""
    changed = f"{before.ops:,} ops become {after.ops:,}."
    if before.text == after.text:
        changed = NOTHING
    if after.name != "cse" or not after.has_kernels:
        return changed
    return f"{changed} The inner loop of the first convolution's kernel:\n\n" + fenced(
        loop(after.text)
    )


def loop(text: str) -> str:
    """The beginning of the first gather-GEMM kernel's loop over columns."""
    name = min(re.findall(r"@gather_gemm_\d+\(", text))
    kernel = text[text.index(name) :].splitlines()
    first = next(number for number, line in enumerate(kernel) if "iter_args(" in line)
    indent = len(kernel[first]) - len(kernel[first].lstrip())
    end = next(n for n, line in enumerate(kernel[first:], first) if line == " " * indent + "}")
    carried = r"\((%\S+ = %\S+), .*\) -> \((.*?), .*\) {"
    head = re.sub(carried, r"(\1, ...) -> (\2, ...) {", kernel[first])
    body = kernel[first + 1 : end]
    more = len(body) - SHOWN_LOOP
    lines = [head, *body[:SHOWN_LOOP], f"{' ' * indent}  // ... {more} lines more", kernel[end]]
    return "\n".join(line[indent:] for line in lines)


def emitted(after: Stage, layouts: Layouts) -> str:
    """IREE's input: parameters, the shortest executable, and the network."""
    parameters = [line for line in after.text.splitlines() if line.startswith('  "util.global"')]
    pattern = r'^  "stream\.executable"\(\) \(\{$.*?^  \}\) .*?$'
    executables = re.findall(pattern, after.text, re.MULTILINE | re.DOTALL)
    smallest = min(executables, key=len)
    parts = ["\n".join(parameters), smallest, after.main]
    return "Parameters, the shortest of the executables, and the network:\n\n" + fenced(
        "\n".join("\n".join(shown(part, layouts)) for part in parts)
    )


def paragraphs(docstring: str | None) -> list[str]:
    """The prose of a docstring, each paragraph on one line; indented code is left out."""
    parts = re.split(r"\n\s*\n", inspect.cleandoc(docstring or ""))
    return [" ".join(part.split()) for part in parts if not part.startswith(" ")]


def code_of(docstring: str | None) -> str:
    """The indented code of a docstring."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    code = (line[4:] for line in lines if not line or line.startswith("    "))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(code)).strip()


def explanation(name: str) -> list[str]:
    """What a pass does, in paragraphs; the first is its summary."""
    if name in REGISTRY:
        return paragraphs(sys.modules[REGISTRY[name].__module__].__doc__)
    return list(MLIR_PASSES[name])


def heading(number: int, name: str) -> str:
    """`## 3. pass`, with a link to its file."""
    if name not in REGISTRY:
        return f"## {number}. `{name}`"
    return f"## {number}. `{name}`\n\n[passes/{source(name)}](../passes/{source(name)})"


def source(name: str) -> str:
    """The file of one of our passes."""
    return f"{REGISTRY[name].__module__.rpartition('.')[2]}.py"


def overview(passes: Sequence[Stage]) -> str:
    """A table of all passes."""
    rows = [
        f"| [{n}](#{n}-{s.name}) | `{s.name}` | {explanation(s.name)[0]} |"
        for n, s in enumerate(passes, 1)
    ]
    return "\n".join(["| | pass | |", "|---|---|---|", *rows])


def told(session: Session) -> str:
    """Records of layers, remarks and parameters."""
    rows = [
        f"| `{r.name}` | {r.op} | `{r.scheme}` | `{r.kernel}` | {r.kept:,} of {r.weights:,}"
        f" | {r.packed_bytes:,} of {r.dense_bytes:,} |"
        for r in session.layers
    ]
    table = ["| layer | op | scheme | kernel | weights kept | bytes |", "|---|---|---|---|---|---|"]
    remarks = [f"- {remark}" for _, remark in session.remarks] or ["No pass has left a remark."]
    arrays = [
        f"- `{name}`: {array.dtype}, {'x'.join(map(str, array.shape))}"
        for name, array in session.parameters.items()
    ]
    return "\n".join([*table, *rows, "", *remarks, "", "Parameters:", "", *arrays])


def lowering(target: str) -> list[str]:
    """Our passes that only targets of this kind have."""
    ours, others = (
        [e.name for e in parse_pipeline(compile_pipeline(get_target(t))) if not isinstance(e, str)]
        for t in (target, TARGET if target == GPU_TARGET else GPU_TARGET)
    )
    return [name for name in ours if name not in others]


def gpu_passes() -> list[str]:
    """What the passes for GPUs do, one in a paragraph."""
    links = {name: f"../passes/{source(name)}" for name in lowering(GPU_TARGET)}
    return [f"[`{name}`]({link}): {' '.join(explanation(name))}" for name, link in links.items()]


def document() -> str:
    """The text of docs/pipeline.md."""
    session, layouts = Session(), Layouts()
    imported, *passes = stages(session)
    parts = [
        "# The pipeline",
        "<!-- docs/generate.py writes this file: change that, or a pass's docstring, then"
        " `make docs`. -->",
        f"How a small network becomes IREE's input, for target `{TARGET}`: its IR after each pass."
        " Your own network's is written by `niwaki compile MODEL -o net.niwaki --dump-ir FOLDER`.",
        overview(passes),
        "Constants of more than"
        f" {SHOWN_ELEMENTS} elements are elided, long lines are broken, and layouts have names.",
        "## The network",
        fenced(inspect.getsource(Example), "python"),
        "Of each kernel's 9 taps 2 are kept, the same ones in every kernel of a block of 8 filters."
        " [The frontend](../frontend/torch_import.py) gives linalg on tensors. Values are named"
        " after the layers they come from.",
        fenced("\n".join(shown(imported.text, layouts))),
    ]
    names = [after.name for after in passes]
    for number, (before, after) in enumerate(pairwise([imported, *passes]), 1):
        first = names.index(after.name) + 1
        again = f"As [above](#{first}-{after.name})."
        parts.append(heading(number, after.name))
        parts += explanation(after.name) if first == number else [again]
        if after.name in CLEAN_UP:
            parts.append(cleaned(before, after))
        elif not after.has_kernels:
            parts.append(change(before, after, layouts))
        elif not before.has_kernels:
            parts.append(lowered(after, layouts))
        elif before.text == after.text:
            parts.append(AS_IT_IS)
        else:
            parts.append(emitted(after, layouts))
    parts += [
        "## What the passes tell",
        "Records of layers and remarks go into the bundle's manifest, which `niwaki inspect` and"
        " `bundle.report()` show; parameters into its weights.",
        told(session),
        "## Other targets",
        "CPU targets differ in numbers, which passes read from"
        " [targets](../niwaki/targets): the width of a vector, how many registers there are."
        " For GPUs these passes stand in place of"
        f" {' and '.join(f'`{name}`' for name in lowering(TARGET))}:",
        *gpu_passes(),
        "## From here to a bundle",
        "IREE allocates buffers, schedules, and compiles kernels and all that is still linalg:",
        fenced(" \\\n    ".join(["iree-compile", *get_target(TARGET).iree_flags]), "text"),
        "Its module, the parameters and the manifest make a [bundle](bundle-format.md).",
    ]
    return "\n\n".join(parts) + "\n"


def check(text: str) -> int:
    """Compare with the file; returns the exit code."""
    old = OUTPUT.read_text(encoding="utf-8") if OUTPUT.exists() else ""
    if old == text:
        return 0
    difference = difflib.unified_diff(
        old.splitlines(), text.splitlines(), "it is", "should be", "", "", 1, ""
    )
    print(f"docs/{OUTPUT.name} is not what the passes do now: run `make docs` and commit it")
    print("\n".join(list(difference)[:40]))
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/pipeline.md anew.")
    parser.add_argument(
        "--check", action="store_true", help="only compare; exit code 1 if it differs"
    )
    only_check = parser.parse_args().check
    text = document()
    if only_check:
        return check(text)
    OUTPUT.write_text(text, encoding="utf-8")
    print(f"wrote docs/{OUTPUT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
