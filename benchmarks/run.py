"""Measure Niwaki beside other engines: `make bench`, or

    python benchmarks/run.py [GROUP]...

Prints tables and writes build/benchmarks/*.json. README.md tells how it is measured.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path
from typing import Any

import ablation
import branches
import claims
import click
import compile_cost
import cost_oracle
import import_cost
import layers
import machine
import networks
import opening
import peers
import projections
import pruning_step
import published_networks
import run_time_memory
import scaling
import searches
import sequences
import shaders
import threads
import time_limits
import vulkan
from case import Case
from emulated.choice_layers import LAYERS
from emulated.choice_table import choices_json, choices_table
from emulated.choices import compile_all, count_choice
from emulated.counting import count_all
from emulated.plan import CORE, PLANS
from emulated.table import cycles_json, cycles_table
from figure import Figure
from overview import overview_table
from race import Result, race
from rich.console import Console
from rich.table import Table
from tables import case_json, case_table, figures_json, figures_table
from worker import in_fresh_process

from niwaki.errors import NiwakiError
from niwaki.runtime.model_cycles.cores import core_named
from niwaki.runtime.model_cycles.kit import Kit, fetch

# What is a table of engines, or of ways to run a network, for each case.
CASES = {
    "layers": layers.cases,
    "networks": networks.cases,
    "peers": peers.cases,
    "scaling": scaling.cases,
    "threads": threads.cases,
    "branches": branches.cases,
    "claims": claims.cases,
    "files": published_networks.cases,
    "sequences": sequences.cases,
}
GROUPS = (
    *(*CASES, "ablation", "compile", "memory", "opening", "import", "projections", "pruning-step"),
    *("search", "cost", "limits", "shaders", "vulkan", "emulated", "choices"),
)
FOLDER = Path("build", "benchmarks")
FILES = FOLDER / "files"
LEAST_WIDTH = 140  # characters: a column for each engine


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("groups", nargs=-1, type=click.Choice(GROUPS))
@click.option("--only", default="", metavar="TEXT", help="Only what has TEXT in its name.")
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True)
@click.option(
    "--configurations",
    type=click.IntRange(min=2),
    default=40,
    show_default=True,
    help="Of each network whose times are predicted.",
)
@click.option("--core", type=int, help="The core to measure on.  [default: the last one]")
@click.option("--reuse", is_flag=True, help="Keep what an earlier run compiled.")
def main(
    groups: tuple[str, ...],
    only: str,
    rounds: int,
    configurations: int,
    core: int | None,
    reuse: bool,
) -> None:
    """Measure GROUPS; without any, all of them."""
    chosen = groups or GROUPS
    machine.one_thread()
    core = machine.last_core() if core is None else core
    for group in CASES:
        if group in chosen:
            measure_cases(group, only, rounds, core, reuse)
    for workload in ablation.WORKLOADS if "ablation" in chosen else ():
        if only in (name := f"ablation-{workload.name}"):
            measured = in_fresh_process(ablation.measure, workload, FILES, rounds, core, reuse)
            table = ablation.ablation_table(workload, measured)
            report(name, table, ablation.ablation_json(workload, measured))
    for network in compile_cost.NETWORKS if "compile" in chosen else ():
        if only in (name := f"compile-{network}"):
            title = f"Compiling {network}, block-punched {compile_cost.RATE}x"
            report_figures(name, title, compile_cost.measure(network, FILES))
    for network in run_time_memory.NETWORKS if "memory" in chosen else ():
        if only in (name := f"memory-{network}"):
            title = f"Running {network}, block-punched {run_time_memory.RATE}x"
            report_figures(name, title, run_time_memory.measure(network, FILES, reuse))
    for network in opening.NETWORKS if "opening" in chosen else ():
        if only in (name := f"opening-{network}"):
            title = f"Opening {network}, block-punched {opening.RATE}x"
            report_figures(name, title, opening.measure(network, FILES, core, reuse))
    if "import" in chosen and only in (name := f"import-{import_cost.NETWORK}"):
        report_figures(name, f"Importing {import_cost.NETWORK}", import_cost.measure())
    if "projections" in chosen and only in "projections":
        title = "Projecting 512x512x3x3 weights onto schemes of pruning, by 8"
        report_figures("projections", title, projections.measure(core))
    if "pruning-step" in chosen and only in "pruning-step":
        title = f"What pruning adds to a training step of ResNet-20, batch {pruning_step.BATCH}"
        report_figures("pruning-step", title, pruning_step.measure(core))
    if "search" in chosen and only in "search":
        title = f"Searches: a scheme and a rate for each of {searches.LAYERS} layers"
        report_figures("search", title, searches.measure(core, FILES))
    for network in cost_oracle.NETWORKS if "cost" in chosen else ():
        if only in (name := f"cost-{network}"):
            title = f"Times of {network}, predicted by costs of layers"
            figures = cost_oracle.measure(network, FILES, configurations, core, cost_oracle.HOST)
            report_figures(name, title, figures)
    if "cost" in chosen and only in "cost-cycles" and emulator("cost-cycles"):
        title = f"Model cycles of {cost_oracle.COUNTED}, predicted by costs of layers"
        phone, network = cost_oracle.PHONE, cost_oracle.COUNTED
        figures = cost_oracle.measure(network, FILES, configurations, core, phone)
        report_figures("cost-cycles", title, figures)
    if "cost" in chosen and only in "cost-searching":
        title = f"{cost_oracle.TRIALS} settings of {cost_oracle.SEARCHED}, priced as a search does"
        report_figures("cost-searching", title, cost_oracle.searching(FILES, core))
    for network in time_limits.NETWORKS if "limits" in chosen else ():
        if only in (name := f"limits-{network}"):
            title = f"Limits in ms for {network}, each timed by a steady clock"
            report_figures(name, title, time_limits.measure(network, FILES, rounds, core))
    for target in shaders.TARGETS if "shaders" in chosen and shaders_can_be_read() else ():
        if only in (name := f"shaders-{target}"):
            title = f"Loads of shaders for {target} in {shaders.TARGETS[target]}"
            report_figures(name, title, shaders.measure(target, FILES / "shaders"))
    for subject in vulkan.NAMES if "vulkan" in chosen else ():
        if only in (name := f"vulkan-{subject}"):
            title = f"CPU time of {subject} on a software GPU"
            report_figures(name, title, vulkan.measure(subject, FILES / "vulkan", core))
    for plan in PLANS if "emulated" in chosen else ():
        if only in plan.name and (kit := emulator(plan.name)):
            results = count_all(kit, plan.contenders, FILES, reuse)
            report(plan.name, cycles_table(plan, results), cycles_json(plan, results))
    if "choices" in chosen and (kit := emulator("choices")):
        count_choices(kit, only, reuse)


def shaders_can_be_read() -> bool:
    """Whether what shows their code is there; False after a line that says what is not."""
    if shutil.which(shaders.PROGRAM):
        return True
    print(f"shaders: needs {shaders.PROGRAM}, of the package spirv-tools")
    return False


def emulator(name: str) -> Kit | None:
    """What counts cycles; None, after a line that says so, if this machine lacks something."""
    try:
        return fetch(core_named(CORE), print)
    except NiwakiError as error:
        print(f"{name}: {error}")
        return None


def count_choices(kit: Kit, only: str, reuse: bool) -> None:
    """Count candidates of layers that have `only` in their names."""
    layers = [layer for layer in LAYERS if only in layer.name]
    folder = FILES / "choices"
    compile_all(layers, folder, reuse)
    choices = [count_choice(kit, layer, folder) for layer in layers]
    if choices:
        report("choices", choices_table(choices), choices_json(choices))


def measure_cases(group: str, only: str, rounds: int, core: int, reuse: bool) -> None:
    """Measure the group's cases, then show what they tell together."""
    cases = [case for case in CASES[group]() if only in case.name]
    measured = [(case, measure_case(case, rounds, core, reuse)) for case in cases]
    if group == "peers" and measured:
        table = overview_table("Pruned networks beside other engines", measured)
        show(table)
    for case, results in measured if group == "scaling" else ():
        points = scaling.points(case, results, FILES)
        written = figures_json(case.title, scaling.figures(points))
        table = scaling.slope_table(case.title, points)
        report(f"{case.name}-slope", table, {**written, "points": [vars(p) for p in points]})
        scaling.plot(case.title, points, FOLDER / f"{case.name}.svg")


def measure_case(case: Case, rounds: int, core: int, reuse: bool) -> dict[str, Result]:
    results = race(case.contenders, FILES, rounds, core, reuse)
    report(case.name, case_table(case, results), case_json(case, results))
    return results


def report_figures(name: str, title: str, figures: list[Figure]) -> None:
    report(name, figures_table(title, figures), figures_json(title, figures))


def show(table: Table) -> None:
    """Print it without squeezing its columns."""
    Console(width=max(Console().width, LEAST_WIDTH)).print(table)


def report(name: str, table: Table, values: dict[str, Any]) -> None:
    """Print the table; write the values, with the machine that they come from."""
    show(table)
    about = {
        "machine": machine.cpu_model(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps({**about, **values}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
