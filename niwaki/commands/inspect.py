"""``niwaki inspect``: what a bundle holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ..standard_streams import say
from .selected import open_selected, target_option

if TYPE_CHECKING:
    from ..runtime.bundle import Bundle


@click.command("inspect")
@click.argument("bundle")
@target_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest and totals as JSON.")
def inspect_command(bundle: str, target: str | None, as_json: bool) -> None:
    """Show what BUNDLE holds: target, inputs, layers, sizes, remarks."""
    from ..printable import printable
    from ..runtime.lengths import padded_inputs
    from ..runtime.quantities import size_text
    from ..runtime.report import report_json, report_text
    from ..text_table import wrapped

    opened = open_selected(bundle, target, None)
    manifest = opened.manifest
    module, weights = sizes_of(opened)
    sizes = {"module_bytes": module, "weights_bytes": weights}
    if as_json:
        say(json.dumps({**report_json(manifest), **sizes}, indent=1))
        return
    say(printable(f"{bundle}: compiled by Niwaki {manifest.niwaki} for {manifest.target}"))
    if needs := (*manifest.architecture[:1], *manifest.cpu_features, *manifest.device_features):
        say(wrapped(f"needs  {' '.join(needs)}", hanging=" " * len("needs  ")))
    say(f"code {size_text(module)}, weights {size_text(weights)}")
    for part in opened.parts[1:]:
        code, packed = map(size_text, sizes_of(part))
        what = "all" if part.stages else "for"
        say(f"also {what} {part.manifest.target}: code {code}, weights {packed}")
    if opened.golden is not None:
        say(f"golden outputs: {size_text(opened.golden.size)}, by which a new device is checked")
    signature = manifest.signature
    for heading, specs in (("input ", signature.inputs), ("output", signature.outputs)):
        for spec in specs:
            say(f"{heading} {spec}")
    for state in manifest.states:
        given, next_ = signature.inputs[state.input], signature.outputs[state.output]
        say(printable(f"state  {given.name}: {next_.name} of the step before"))
    if opened.lengths:
        say(f"lengths {', '.join(map(str, opened.lengths))}; the table is that of the last")
        for spec, places, name in padded_inputs(manifest):
            dimensions = ", ".join(map(str, places))
            say(printable(f"length {spec.name}: dimension {dimensions}, filled up with {name}"))
    say()
    say(report_text(manifest))


def sizes_of(part: Bundle) -> tuple[int, int]:
    """Bytes of code and of weights."""
    leaves = part.leaves
    return sum(len(one.module) for one in leaves), sum(len(one.weights) for one in leaves)
