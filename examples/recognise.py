"""Spoken digits, written down by two bundles, and what a guard against runaway outputs does.

python examples/recognise.py                  strings of the few clips beside this file
python examples/recognise.py --data FOLDER    of all clips of the speakers that are held out
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).resolve().parent / "networks"))

import click
import numpy as np
from data_sets import data_folder
from digit_strings import LONGEST, SAMPLES, DigitStrings, Spoken, digit_strings, shipped_strings
from front_end import RATE
from mistakes import in_one_line
from rich.console import Console
from rich.table import Table
from speech import GUARD, Listener, error_rate, inputs, load
from strange_sounds import CHANGES, strange

import niwaki

RUNAWAY = 2 * LONGEST  # no string is half as long


def in_domain(listener: Listener, spoken: list[Spoken], guard: niwaki.LengthGuard) -> Table:
    """Errors in strings of digits, searched in several ways, with the guard and without."""
    table = Table("search", "without a guard", "with it", "cut", "of real time")
    said = [one.digits for one in spoken]
    seconds = sum(len(one.samples) for one in spoken) / RATE
    for beams in (1, 4):
        started = time.perf_counter()
        free = [listener.hear(one.samples, beams) for one in spoken]
        share = (time.perf_counter() - started) / seconds
        guarded = [listener.hear(one.samples, beams, guard) for one in spoken]
        rates = (f"{error_rate([one.tokens for one in way], said):.2%}" for way in (free, guarded))
        cut = sum(one.ending == "cut" for one in guarded)
        name = "greedy" if beams == 1 else f"{beams} beams"
        table.add_row(name, *rates, f"{cut / len(spoken):.1%}", f"{share:.2%}")
    return table


def guessed(listener: Listener, spoken: list[Spoken], guard: niwaki.LengthGuard) -> float:
    """The share of strings whose number of digits the guard tells right, rounded."""
    right = 0
    for one in spoken:
        states, *_ = listener.encoder(*inputs(one.samples))
        right += round(guard.predict(states)) == len(one.digits)
    return right / len(spoken)


def out_of_domain(listener: Listener, spoken: list[Spoken], guard: niwaki.LengthGuard) -> Table:
    """How often and how far the decoder runs away from sounds that it was not trained on."""
    table = Table("sound", "run away", "longest", "digits", "run away, guarded", "digits", "cut")
    for name, change in CHANGES.items():
        random = np.random.default_rng(0)
        sounds = [strange(one.samples, change, random, SAMPLES) for one in spoken]
        free = [listener.hear(one) for one in sounds]
        guarded = [listener.hear(one, guard=guard) for one in sounds]
        cells = []
        for way in (free, guarded):
            lengths = np.array([len(one.tokens) for one in way])
            cells.append((f"{(lengths > RUNAWAY).mean():.1%}", f"{lengths.mean():.1f}"))
        longest = max(len(one.tokens) for one in free)
        cut = np.mean([one.ending == "cut" for one in guarded])
        (ran, digits), (ran_guarded, digits_guarded) = cells
        table.add_row(name, ran, str(longest), digits, ran_guarded, digits_guarded, f"{cut:.1%}")
    return table


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--strings", default=200, help="How many to draw.")
@in_one_line()
def main(data: Path | None, strings: int) -> None:
    drawn: DigitStrings = digit_strings(data_folder(data)).test if data else shipped_strings()
    spoken = [drawn.draw() for _ in range(strings)]
    guard = niwaki.LengthGuard.load(GUARD)
    with TemporaryDirectory() as folder:
        listener = Listener.compiled(load(), Path(folder))
        for one in spoken[:5]:
            written = " ".join(str(token - 1) for token in listener.hear(one.samples).tokens)
            click.echo(f"said {' '.join(map(str, one.digits)):11}written {written}")
        console = Console(width=100)
        console.print(f"\n{strings} strings of digits, speakers that training has not heard")
        console.print(in_domain(listener, spoken, guard))
        share = guessed(listener, spoken, guard)
        console.print(f"The guard tells the number of digits of {share:.1%} of them")
        console.print(f"\nOther sounds, greedy; run away: more than {RUNAWAY} digits")
        console.print(out_of_domain(listener, spoken, guard))


if __name__ == "__main__":
    main()
