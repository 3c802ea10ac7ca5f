"""Running a check with many seeds, in processes that it may take down.

A check is a function of a seed, the file that is to be changed, and a folder for itself; it says in
a word or two what came of it, and raises where something is wrong. A crash of the process is what
must be found as well, so the seeds are dealt out to processes, which say where they are.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

Make = Callable[[Path], Path]
Check = Callable[[int, Path, Path], str]
SHARE = 500  # seeds for one process
PATIENCE_S = 30  # for one seed
MEMORY = 8 << 30  # bytes of addresses of one process, of which few are ever used


@dataclass
class Findings:
    """What came of seeds: how often what, and what was wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def fuzz(check: Check, source: Path, seeds: Iterable[int], folder: Path) -> Findings:
    """Check all seeds in this process."""
    findings = Findings()
    signal.signal(signal.SIGALRM, _too_long)
    for seed in seeds:
        print(f"seed {seed}", flush=True)
        signal.alarm(PATIENCE_S)
        try:
            findings.outcomes[check(seed, source, folder)] += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = " ".join(str(error).split())[:300]
            findings.wrong.append(f"seed {seed}: {type(error).__name__} in {where.name}: {reason}")
    signal.alarm(0)
    return findings


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError(f"took more than {PATIENCE_S} s")


def main(make: Make, check: Check) -> None:
    """The command line of a file of checks: ``--count N [--first SEED] [--jobs N]``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.count)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        if options.source:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            _show(fuzz(check, options.source, seeds, Path(scratch)))
            return
        source = make(Path(scratch))
        shares = [seeds[at : at + SHARE] for at in range(0, len(seeds), SHARE)]
        with ThreadPoolExecutor(options.jobs) as pool:
            found = list(pool.map(lambda share: _in_process(source, share), shares))
    outcomes = sum((findings.outcomes for findings in found), Counter())
    wrong = [line for findings in found for line in findings.wrong]
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:6}  {outcome}")
    print(f"{len(wrong):6}  wrong", *wrong, sep="\n")
    raise SystemExit(bool(wrong))


def _show(findings: Findings) -> None:
    for outcome, count in findings.outcomes.items():
        print(f"outcome {count} {outcome}")
    for line in findings.wrong:
        print(f"wrong {line}")


def _in_process(source: Path, share: range) -> Findings:
    arguments = ["--first", str(share.start), "--count", str(len(share)), "--source", str(source)]
    command = [sys.executable, sys.argv[0], *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    findings, last = Findings(), ""
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "outcome":
            count, _, outcome = rest.partition(" ")
            findings.outcomes[outcome] += int(count)
        elif word == "wrong":
            findings.wrong.append(rest)
        elif word == "seed":
            last = rest
    if done.returncode:
        findings.wrong.append(f"seed {last}: the process ended with {done.returncode}")
        rest_of_share = range(int(last) + 1, share.stop) if last else range(0)
        if rest_of_share:
            after = _in_process(source, rest_of_share)
            findings.outcomes += after.outcomes
            findings.wrong += after.wrong
    return findings
