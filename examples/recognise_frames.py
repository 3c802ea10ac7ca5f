"""A phone for each frame, as RTMobile's GRU tells it: errors and real time at each pruning rate.

    python examples/recognise_frames.py --data FOLDER --rates 1,4,10,20

Phones here are the thirds of each digit, by linear alignment, and silence. The network is trained
once, pruned to each rate, compiled, and run frame by frame as a stream. Minutes a rate on one core.
"""

from __future__ import annotations

import copy
import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).resolve().parent / "networks"))

import click
import numpy as np
import torch
from data_sets import data_folder
from digit_strings import Spoken, Strings, digit_strings
from frame_gru import HIDDEN, FrameGRU, FrameStep
from front_end import HOP, RATE, WINDOW, log_mel
from mistakes import in_one_line
from rich.console import Console
from rich.table import Table
from speech_batches import StringBatches
from speech_training import IGNORED, prune, train
from torch import Tensor

import niwaki
from niwaki.pruning import PruningConfig

BATCH, STEPS, LEARNING_RATE = 16, 500, 2e-3
EPOCHS, EPOCH_STEPS, PRUNING_RATE = 10, 40, 1e-3  # of pruning and retraining
TESTED = 100  # strings
SILENCE, THIRDS = 0, 3
STATES = {"state": "output_1"}


def phones(one: Spoken, frames: int) -> np.ndarray:
    """The phone at the middle of each frame, int64 [frames]."""
    middles = np.arange(frames) * HOP + WINDOW // 2
    found = np.full(frames, SILENCE)
    for digit, (first, last) in zip(one.digits, one.spans, strict=True):
        inside = (middles >= first) & (middles <= last)
        thirds = (middles - first) * THIRDS // (last - first + 1)
        found[inside] = (1 + THIRDS * digit + thirds)[inside]
    return found


def phone_targets(spoken: list[Spoken], frames: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """Phones ``[N, frames]``; those behind a recording's end are ignored."""
    targets = torch.full((len(spoken), frames), IGNORED)
    for row, one in enumerate(spoken):
        count = len(log_mel(one.samples))
        targets[row, :count] = torch.from_numpy(phones(one, count))
    return (), targets


@dataclass
class Heard:
    """What running a network on all frames gave: which were told wrong, and seconds of each."""

    wrong: list[bool] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def add(self, network: niwaki.Network, one: Spoken) -> None:
        """Run a recording, frame by frame."""
        state, frames = network.initial_state(), log_mel(one.samples)
        for frame, phone in zip(frames, phones(one, len(frames)), strict=True):
            started = time.perf_counter()
            scores, _ = network.step(frame[None], state)
            self.times.append(time.perf_counter() - started)
            self.wrong.append(scores.argmax() != phone)


def pruned(network: FrameGRU, batches: StringBatches, rate: float) -> FrameGRU:
    """A copy that is pruned and retrained, or trained on for as long where the rate is 1."""
    if rate > 1:
        return prune(network, batches, rate, ("gru.*",), EPOCHS, PRUNING_RATE)
    dense = copy.deepcopy(network)
    train(dense, replace(batches, count=EPOCHS * EPOCH_STEPS), PRUNING_RATE)
    return dense


def trained(strings: Strings, rates: list[float], hidden: int) -> dict[float, FrameGRU]:
    """One network at each rate."""
    batches = StringBatches(strings.train, phone_targets, BATCH, STEPS)
    network = FrameGRU(hidden)
    train(network, batches, LEARNING_RATE)
    batches = replace(batches, count=EPOCH_STEPS)
    return {rate: pruned(network, batches, rate) for rate in rates}


def random(rates: list[float], hidden: int) -> dict[float, FrameGRU]:
    """Networks of random weights, as fast as trained ones."""
    network = FrameGRU(hidden).eval()
    config = PruningConfig("block_column_row", include=("gru.*",))
    return {
        rate: niwaki.prune(network, rate=rate, config=config, method="magnitude", progress=False)
        if rate > 1
        else network
        for rate in rates
    }


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rates", default="1,4,10,20", help="All weights / kept weights of the GRU.")
@click.option("--hidden", default=HIDDEN, help="States of each layer.")
@click.option("--untrained", is_flag=True, help="Tell times alone, of random weights.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the bundles in this folder.")
@in_one_line()
def main(data: Path | None, rates: str, hidden: int, untrained: bool, out: Path | None) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    asked = [float(rate) for rate in rates.split(",")]
    strings = digit_strings(data_folder(data))
    networks = random(asked, hidden) if untrained else trained(strings, asked, hidden)
    with TemporaryDirectory() as folder:
        paths = {rate: (out or Path(folder)) / f"frames_{rate:g}x.niwaki" for rate in asked}
        for rate, path in paths.items():
            step = FrameStep(networks[rate]).eval()
            niwaki.compile(step, step.example(), output=path, states=STATES)
        loaded = {rate: niwaki.load(path) for rate, path in paths.items()}
        heard = {rate: Heard() for rate in asked}
        for one in [strings.test.draw() for _ in range(TESTED)]:
            # In turn, so that what else the machine does hits all alike.
            for rate, network in loaded.items():
                heard[rate].add(network, one)
        sizes = {rate: path.stat().st_size for rate, path in paths.items()}
    table = Table("rate", "frames wrong", "bundle", "a frame takes", "of real time")
    for rate, result in heard.items():
        wrong = "-" if untrained else f"{np.mean(result.wrong):.1%}"
        seconds = statistics.median(result.times)
        table.add_row(
            f"{rate:g}x", wrong, f"{sizes[rate] / 1e3:.0f} kB", f"{seconds * 1e6:.0f} us",
            f"{seconds * RATE / HOP:.2%}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
