"""``niwaki deploy``: a bundle on a phone, or on another arm64 machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..standard_streams import say, tell
from .options import repetitions_option, threads_option, warmup_option
from .selected import length_option, open_selected, target_option

if TYPE_CHECKING:
    from ..runtime.bundle import Bundle
    from ..runtime.deploy.plan import Plan


@click.command("deploy")
@click.argument("bundle")
@click.option("--adb", "by_adb", is_flag=True, help="Run it on an Android device.")
@click.option("--serial", metavar="S", help="Which device, where adb finds several.")
@click.option("--export", metavar="DIR", help="Write a folder with all that a device needs.")
@click.option("--read", metavar="DIR", help="Read the results of a folder that was exported.")
@click.option("--runtime", metavar="DIR", help="Your own build of IREE's programs for the device.")
@click.option("--cores", metavar="MASK", default="", help="Cores to run on, as taskset: f0.")
@threads_option
@warmup_option
@repetitions_option
@target_option
@length_option
@click.option(
    "-o",
    "--output",
    metavar="FILE.json",
    default="times.json",
    show_default=True,
    help="Where times are written.",
)
def deploy_command(
    bundle: str,
    by_adb: bool,
    serial: str | None,
    export: str | None,
    read: str | None,
    runtime: str | None,
    cores: str,
    threads: int,
    warmup: int,
    repetitions: int,
    target: str | None,
    length: int | None,
    output: str,
) -> None:
    """Run BUNDLE on a phone.

    Outputs are compared, and calls and layers timed. Give one of --adb, --export and --read.
    """
    from ..runtime.deploy.plan import make_plan
    from ..runtime.parts import arm64_part

    if by_adb + (export is not None) + (read is not None) != 1:
        raise click.UsageError("give one of --adb, --export DIR and --read DIR")
    if serial is not None and not by_adb:
        raise click.UsageError("--serial chooses a device for --adb")
    opened = arm64_part(open_selected(bundle, target, length))
    if read is not None:
        _tell_results(opened, Path(read) / "results", output)
        return
    plan = make_plan(opened, threads, warmup, repetitions, cores)
    if export is not None:
        _export(opened, plan, runtime, Path(export))
        return
    _run_by_adb(opened, plan, runtime, serial, output)


def _export(bundle: Bundle, plan: Plan, runtime: str | None, folder: Path) -> None:
    from ..runtime.deploy.examples import example_inputs
    from ..runtime.deploy.folder import export
    from ..runtime.deploy.programs import programs

    export(bundle, plan, programs(bundle, runtime), example_inputs(bundle), folder)
    say(f"wrote {folder}: copy it to the device, start `sh run.sh` there, and copy it back")


def _run_by_adb(
    bundle: Bundle, plan: Plan, runtime: str | None, serial: str | None, output: str
) -> None:
    from ..atomic import check_writable
    from ..runtime.deploy.adb import connect
    from ..runtime.deploy.examples import example_inputs
    from ..runtime.deploy.folder import write_folder
    from ..runtime.deploy.phone import check_phone, run_on_phone
    from ..runtime.deploy.programs import programs
    from ..temporary import temporary_folder

    check_writable(output)
    found = programs(bundle, runtime)
    adb = connect(serial)
    check_phone(adb, bundle.manifest, str(bundle.path))
    with temporary_folder() as folder:
        (folder / "pushed").mkdir()
        write_folder(bundle, plan, found, example_inputs(bundle), folder / "pushed")
        tell(f"running on {adb.name}")
        run_on_phone(adb, folder / "pushed", folder / "results")
        _tell_results(bundle, folder / "results", output)


def _tell_results(bundle: Bundle, folder: Path, output: str) -> None:
    from ..printable import printable
    from ..runtime.deploy.examples import expected_outputs
    from ..runtime.deploy.results import read_results
    from ..runtime.deploy.times_file import write_times
    from ..runtime.deploy.verdict import check_repeatable, compare
    from ..runtime.times_table import times_text

    results = read_results(bundle, folder)
    check_repeatable(bundle.manifest, results.runs)
    verdict = compare(bundle.manifest, results.runs[0], expected_outputs(bundle))
    write_times(output, results.times)
    say(f"{results.times.model}: {results.times.calls}")
    if results.times.layers is not None:
        say(times_text(bundle.manifest, results.times.layers))
    if results.throttled:
        say(
            f"below their highest clock: {', '.join(results.throttled)}: the device is hot, or "
            "saves power, so times are longer than they could be"
        )
    say(f"{len(results.runs)} runs gave the same; {verdict}")
    say(printable(f"wrote {output}"))
