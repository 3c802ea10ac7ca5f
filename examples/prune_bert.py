"""A small BERT from questions to a bundle: tokenizer, training, pruning, compiling, answering.

    python examples/prune_bert.py --data FOLDER

`FOLDER` holds text/TREC as examples/data_sets.py says, and `pip install '.[examples]'` brings the
tokenizer's library. It takes some minutes on one core. Every tenth of the questions to train on is
held out, to choose how long to train; those to test are asked once, at the end. The bundle is for
several lengths, so that a short question costs little; ONNX Runtime runs the dense network on the
same questions beside it, where it is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import in_turns
import numpy as np
import torch
from bert import Bert, make
from data_sets import Questions, data_folder, read_questions
from in_turns import Answer, milliseconds
from mistakes import in_one_line
from questions import QuestionBatches, encode, train_tokenizer, trimmed
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

import niwaki
from niwaki.pruning import PruningConfig

HELD_OUT = 10
LENGTHS = (8, 16, 32, 64)
BATCH, RATE, SMOOTHING = 64, 1e-3, 0.05
PRUNED = ("layers.*",)


def loss(logits: Tensor, kinds: Tensor) -> Tensor:
    return F.cross_entropy(logits, kinds, label_smoothing=SMOOTHING)


def train(network: nn.Module, batches: QuestionBatches, epochs: int, rate: float = 1) -> nn.Module:
    """A copy of the network, trained; on the way pruned in blocks of filters, if `rate` is more."""
    scheme, method = ("block_punched", "gradual") if rate > 1 else ("unstructured", "magnitude")
    trained = niwaki.prune(
        network,
        batches,
        config=PruningConfig(scheme, rate, include=PRUNED),
        method=method,
        epochs=epochs,
        loss=loss,
        optimizer=lambda parameters: torch.optim.AdamW(parameters, RATE, weight_decay=0.01),
        progress=False,
    )
    return trained.eval()


def accuracy(answer: Answer, questions: Sequence[np.ndarray], kinds: Sequence[int]) -> float:
    """Share of the questions whose kind is found."""
    found = [int(answer(words).argmax()) for words in questions]
    return float(np.mean(np.equal(found, kinds)))


def in_pytorch(network: nn.Module) -> Answer:
    def answer(words: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(words)).numpy()

    return answer


def in_onnxruntime(network: nn.Module) -> Answer | None:
    """The network in ONNX Runtime, for any length; None where it is not installed."""
    example = make()[1]
    length = torch.export.Dim("length", min=2, max=example.shape[1])
    return in_turns.in_onnxruntime(network, example, ({1: length},))


def words_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """Each question's numbers of words [1, length], as long as it is."""
    return [trimmed(ids[None]).numpy() for ids in encode(tokenizer, texts)]


def parted(questions: Questions) -> tuple[Questions, Questions]:
    """Questions to train on, and every tenth, which is held out."""
    numbers = range(len(questions.texts))
    rest = [number for number in numbers if number % HELD_OUT]
    parts = rest, numbers[::HELD_OUT]
    fit, held_out = (
        Questions([questions.texts[n] for n in part], [questions.kinds[n] for n in part])
        for part in parts
    )
    return fit, held_out


def chosen(
    name: str,
    networks: Mapping[int, nn.Module],
    questions: Sequence[np.ndarray],
    kinds: Sequence[int],
) -> nn.Module:
    """Of networks by their number of epochs the one that answers most held-out questions."""
    shares = {n: accuracy(in_pytorch(one), questions, kinds) for n, one in networks.items()}
    told = ", ".join(f"{share:.1%} with {epochs} epochs" for epochs, share in shares.items())
    print(f"{name}: {told}, of held-out questions")
    return networks[max(shares, key=lambda epochs: shares[epochs])]


def run(
    train_on: Questions,
    test_on: Questions,
    rates: Sequence[float],
    epochs: Sequence[int],
    folder: Path,
) -> dict[str, float]:
    """Train, prune, compile and compare; returns the accuracy of each network by its name."""
    fit, held_out = parted(train_on)
    tokenizer = train_tokenizer(fit.texts)
    tokenizer.save(str(folder / "tokenizer.json"))
    ids, kinds = encode(tokenizer, fit.texts), torch.tensor(fit.kinds)
    batches = QuestionBatches(ids, kinds, min(BATCH, len(kinds)))
    asked = words_of(tokenizer, held_out.texts)
    started = {number: train(Bert(), batches, number) for number in epochs}

    def best(name: str, rate: float = 1) -> nn.Module:
        trained = {n: train(network, batches, n, rate) for n, network in started.items()}
        return chosen(name, trained, asked, held_out.kinds)

    dense = best("dense")
    questions = words_of(tokenizer, test_on.texts)
    results = {"dense": accuracy(in_pytorch(dense), questions, test_on.kinds)}
    print(f"dense: {results['dense']:.1%}")
    other = in_onnxruntime(dense)
    for rate in rates:
        name = f"{rate:g}x"
        pruned = best(name, rate)
        path = folder / f"bert_{name}.niwaki"
        niwaki.compile(pruned, make()[1], output=path, lengths=LENGTHS)
        network = niwaki.load(path)
        results[name] = accuracy(network, questions, test_on.kinds)
        same = accuracy(in_pytorch(pruned), questions, test_on.kinds)
        print(f"{name}: {results[name]:.1%} compiled, {same:.1%} in PyTorch ({path})")
        if other is None:
            print("no comparison: ONNX Runtime is not installed (onnxruntime, onnxscript)")
            continue
        own, theirs = milliseconds([network, other], questions)
        print(f"{name}: {own:.3f} ms a question, dense in ONNX Runtime {theirs:.3f} ms")
    return results


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Prune and compile a small BERT.")
    parser.add_argument("--data", type=Path, help="folder of data sets; else NIWAKI_DATA")
    parser.add_argument("--rates", type=float, nargs="+", default=[4, 8])
    parser.add_argument(
        "--epochs",
        type=int,
        nargs="+",
        default=[4, 6],
        help="before pruning, and with it; of several the best on held-out questions",
    )
    parser.add_argument("--output", type=Path, default=Path(), help="folder for what is made")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # results then do not depend on the number of cores
    torch.manual_seed(options.seed)
    folder = data_folder(options.data)
    train_on, test_on = read_questions(folder, "train"), read_questions(folder, "test")
    options.output.mkdir(parents=True, exist_ok=True)
    run(train_on, test_on, options.rates, options.epochs, options.output)


if __name__ == "__main__":
    main()
