"""``niwaki inspect``: what a bundle holds."""

from __future__ import annotations

import json

import click

from .printing import print_report


@click.command("inspect")
@click.argument("bundle")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest and totals as JSON.")
def inspect_command(bundle: str, as_json: bool) -> None:
    """Show what BUNDLE holds: signature, target, layers, sizes, remarks."""
    from ..runtime.bundle import open_bundle
    from ..runtime.report import report_json, size_text

    opened = open_bundle(bundle)
    manifest = opened.manifest
    sizes = {"module_bytes": len(opened.module), "weights_bytes": len(opened.weights)}
    if as_json:
        click.echo(json.dumps({**report_json(manifest), **sizes}, indent=1))
        return
    needs = " ".join((*manifest.architecture[:1], *manifest.cpu_features))
    target = f"{manifest.target} ({needs})" if needs else manifest.target
    click.echo(f"{bundle}: compiled by Niwaki {manifest.niwaki} for {target}")
    click.echo(f"code {size_text(len(opened.module))}, weights {size_text(len(opened.weights))}")
    for heading, specs in (
        ("input ", manifest.signature.inputs),
        ("output", manifest.signature.outputs),
    ):
        for spec in specs:
            click.echo(f"{heading} {spec}")
    click.echo()
    print_report(manifest)
