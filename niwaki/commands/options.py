"""Options that several commands have."""

from __future__ import annotations

import click

threads_option = click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="CPU threads."
)
device_option = click.option(
    "--device", type=click.Choice(["local", "vulkan", "together"]), help="Default: the bundle's."
)
warmup_option = click.option(
    "--warmup", type=click.IntRange(min=0), default=10, show_default=True, help="Calls not counted."
)
repetitions_option = click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Calls counted.",
)
