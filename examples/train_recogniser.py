"""Train the recogniser of digit strings, prune it, and fit its length guard: what data/ ships.

    python examples/train_recogniser.py --data FOLDER

Some minutes on one core.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).resolve().parent / "networks"))

import click
import torch
from data_sets import data_folder
from digit_strings import DigitStrings, Spoken, digit_strings
from front_end import log_mel
from mistakes import in_one_line
from recogniser import MARK, STRIDE, Recogniser
from sparse_weights import save_sparse
from speech import GUARD, WEIGHTS, Listener, error_rate
from speech_batches import StringBatches, joined
from speech_training import IGNORED, prune, train
from torch import Tensor

import niwaki

BATCH, STEPS, LEARNING_RATE = 32, 3000, 3e-3
EPOCHS, EPOCH_STEPS, PRUNING_RATE = 12, 100, 1e-3  # of pruning and retraining
PRUNED = ("encoder.lower.*", "encoder.upper.*", "decoder.cell.*")
GUARD_STRINGS, TESTED = 1000, 500


def next_tokens(spoken: list[Spoken], frames: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """Tokens ``[N, L]`` that the decoder is told, and those that it should write."""
    longest = max(len(one.digits) for one in spoken)
    told = torch.full((len(spoken), longest + 1), MARK)
    targets = torch.full((len(spoken), longest + 1), IGNORED)
    for row, one in enumerate(spoken):
        digits, count = torch.tensor(one.digits), len(one.digits)
        told[row, 1 : count + 1] = targets[row, :count] = digits + 1
        targets[row, count] = MARK
    return (told,), targets


def test(network: Recogniser, tested: list[Spoken]) -> float:
    """The error rate of what the compiled network writes."""
    with TemporaryDirectory() as folder:
        listener = Listener.compiled(network, Path(folder))
        written = [listener.hear(one.samples).tokens for one in tested]
    return error_rate(written, [one.digits for one in tested])


def fit_guard(network: Recogniser, strings: DigitStrings) -> niwaki.LengthGuard:
    """A guard from strings that training has not seen."""
    spoken = [strings.draw() for _ in range(GUARD_STRINGS)]
    frames, lengths = joined([log_mel(one.samples) for one in spoken], STRIDE)
    with torch.inference_mode():
        states, *_ = network.encoder(frames, lengths)
    return niwaki.LengthGuard.fit(list(states.numpy()), [len(one.digits) for one in spoken])


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of data sets.")
@click.option("--rate", default=4.0, help="All weights / kept weights of recurrent layers.")
@click.option("--seed", default=0)
@in_one_line()
def main(data: Path | None, rate: float, seed: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    strings = digit_strings(data_folder(data))
    network = Recogniser()
    batches = StringBatches(strings.train, next_tokens, BATCH, STEPS, STRIDE)
    train(network, batches, LEARNING_RATE)
    batches = replace(batches, count=EPOCH_STEPS)
    pruned = prune(network, batches, rate, PRUNED, EPOCHS, PRUNING_RATE)
    tested = [strings.test.draw() for _ in range(TESTED)]
    click.echo(f"errors: dense {test(network, tested):.2%}, pruned {test(pruned, tested):.2%}")
    save_sparse(pruned.state_dict(), WEIGHTS)
    fit_guard(pruned, strings.kept).save(GUARD)


if __name__ == "__main__":
    main()
