"""Which encoder of questions is most accurate in so many milliseconds? After CANAO (2106.00526).

    niwaki search examples/search/text.py --target-ms 0.06 --trials 50 --sampler controller
    python examples/search/text.py --data FOLDER --target-ms 0.06 --trials 50 --seeds 0 1 2

Layers, numbers of a word, heads and widths between linear layers are searched. A large encoder is
trained first, and then a copy whose parts are encoders of all sizes; these learn from the large
one's answers. A trial takes its part, and trains it on for some steps.

The second command compares samplers: a controller that learns by reinforcement, evolution, and
random points. Then it trains the best network on, and runs it beside the large one in ONNX Runtime.
`FOLDER`, or NIWAKI_DATA, has text/TREC as examples/data_sets.py says. What is trained and measured
is kept in `build/text`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

import torch  # noqa: E402 - what follows lies in this folder
from bert import CLASSES, Bert  # noqa: E402
from data_sets import data_folder, read_questions  # noqa: E402
from in_turns import Answer, milliseconds  # noqa: E402
from mistakes import above, at_least, in_one_line  # noqa: E402
from prune_bert import LENGTHS, accuracy, in_onnxruntime  # noqa: E402
from questions import split, trimmed  # noqa: E402
from search.text_costs import EncoderCosts, encoder_costs  # noqa: E402
from search.text_networks import (  # noqa: E402
    LARGE,
    WIDE,
    distilled,
    fit,
    fit_shared,
    heir,
    share_right,
    sizes_of,
    space,
)
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

import niwaki  # noqa: E402
from niwaki.atomic import atomic_file  # noqa: E402
from niwaki.studies import Limit, Point, Results, hypervolume  # noqa: E402

WORK = Path("build", "text")
SAMPLERS = ("controller", "evolution", "random")
HELD_OUT = 500  # of the questions to train on, at most: trials are judged by them
SMOOTHING, DROPOUT = 0.05, 0.3  # of the large network, which learns from labels alone
PRICE = 0.1  # accuracy that the time of the large network is worth
LEAST = 0.5  # accuracy from which fronts are compared


@dataclass(frozen=True)
class Steps:
    """How long networks are trained: the large one, the shared weights, a trial, the best one."""

    large: int = 900
    shared: int = 500
    trial: int = 12
    best: int = 600


@dataclass(frozen=True)
class Lab:
    """What trials need.

    Attributes:
        large, shared: the large encoder, and the one whose parts are all others.
        words, targets: questions to train on, and what the large one makes of their labels.
        held_out: questions, and their kinds, that trials are judged by.
    """

    large: Bert
    shared: Bert
    words: Tensor
    targets: Tensor
    held_out: tuple[Tensor, Tensor]
    costs: EncoderCosts
    steps: Steps

    def train(self, point: Point) -> tuple[Bert, float]:
        """The network of a point, and its time as a share of the large one's."""
        ms, most = (sum(self.costs.parts(sizes).values()) for sizes in (sizes_of(point), LARGE))
        return self.trained(point, self.steps.trial), ms / most

    def trained(self, point: Point, steps: int) -> Bert:
        """The network of a point, with shared weights that are trained on."""
        torch.set_num_threads(1)  # results then do not depend on the number of cores
        torch.manual_seed(0)
        network = heir(self.shared, sizes_of(point))
        fit(network, self.words, self.targets, steps)
        return network.eval()

    def evaluate(self, trained: tuple[Bert, float]) -> dict[str, float]:
        """What samplers seek, and the accuracy; of two as accurate, the faster one is better."""
        network, time = trained
        right = share_right(network, *self.held_out)
        return {"reward": right - PRICE * time, "accuracy": right}

    def milliseconds(self, point: Point) -> dict[str, float]:
        return self.costs.parts(sizes_of(point))

    def describe(self, point: Point) -> list[tuple[str, str, float]]:
        """The layers of a network, for the page."""
        sizes = sizes_of(point)
        told = f"linear layers from {sizes.width}"
        return [
            (f"layer{n}", f"{heads} heads, {told} to {wide}", wide / WIDE[-1])
            for n, (heads, wide) in enumerate(zip(sizes.heads, sizes.wide, strict=True), 1)
        ]

    def search(self, target_ms: float | None, **options: Any) -> Results:
        limit = Limit("ms", target_ms, self.milliseconds)
        return niwaki.search(space(), self.train, self.evaluate, [limit], **options)


def make_lab(
    words: Tensor, kinds: Tensor, work: Path, costs: EncoderCosts, steps: Steps = Steps()
) -> Lab:
    """Train the large network and the shared weights, or read those that are in `work`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    held_out, rest = torch.randperm(len(words)).split_with_sizes(_shares(len(words)))
    labels = functional.one_hot(kinds[rest], CLASSES).float()
    large, shared = LARGE.build(DROPOUT), LARGE.build()
    file = work / "weights.pt"
    if not file.exists():
        smooth = (1 - SMOOTHING) * labels + SMOOTHING / CLASSES
        fit(large, words[rest], smooth, steps.large)
        shared.load_state_dict(large.state_dict())
        fit_shared(shared, words[rest], distilled(large, words[rest], labels), steps.shared)
        with atomic_file(file) as kept:
            torch.save([large.state_dict(), shared.state_dict()], kept)
    for network, weights in zip((large, shared), torch.load(file), strict=True):
        network.load_state_dict(weights)
        network.eval()
    targets = distilled(large, words[rest], labels)
    held = words[held_out], kinds[held_out]
    return Lab(large, shared, words[rest], targets, held, costs, steps)


def _shares(count: int) -> list[int]:
    held_out = min(HELD_OUT, count // 4)
    return [held_out, count - held_out]


def setup(target_ms: float | None = None) -> dict[str, Any]:
    """What `niwaki search` asks for; without a target it looks for the whole front."""
    lab, _ = _from_folder(data_folder(), WORK)
    return {
        "space": space(),
        "train": lab.train,
        "evaluate": lab.evaluate,
        "limits": [Limit("ms", target_ms, lab.milliseconds)],
        "describe": lab.describe,
    }


def _from_folder(data: Path, work: Path) -> tuple[Lab, tuple[Tensor, Tensor]]:
    """The lab, and the questions of the test."""
    work.mkdir(parents=True, exist_ok=True)
    words, kinds, *test = split(*(read_questions(data, part) for part in ("train", "test")))
    return make_lab(words, kinds, work, encoder_costs(work / "costs.json")), (test[0], test[1])


def compare(lab: Lab, target_ms: float, trials: int, seeds: list[int], work: Path) -> Point:
    """Print what each sampler finds; returns the best of all points."""
    print("sampler | seed | hypervolume | later reward, ms | best reward, accuracy, ms, point")
    found = []
    for sampler in SAMPLERS:
        areas = []
        for seed in seeds:
            file = work / f"{sampler}-{seed}-{target_ms:g}.sqlite"
            results = lab.search(target_ms, trials=trials, sampler=sampler, seed=seed, storage=file)
            best = results.best
            by_accuracy = [
                replace(one, scores={"": one.scores["accuracy"]}) for one in results.done
            ]
            areas.append(hypervolume(by_accuracy, "ms", (LEAST, target_ms)) / target_ms)
            later = results.done[len(results.done) // 2 :]
            drawn = mean(one.objective for one in later), mean(one.costs["ms"] for one in later)
            told = " ".join(f"{name}={value}" for name, value in best.point.items())
            chosen = f"{best.objective:.4f}, {best.scores['accuracy']:.1%}, {best.costs['ms']:.4f}"
            row = f"{areas[-1]:.4f} | {drawn[0]:.4f}, {drawn[1]:.4f} | {chosen}, {told}"
            print(f"{sampler} | {seed} | {row}", flush=True)
            found.append(best)
        print(f"{sampler} | mean | {mean(areas):.4f}")
    return max(found, key=lambda trial: (trial.objective, -trial.costs["ms"])).point


def report(lab: Lab, point: Point, test: tuple[Tensor, Tensor], work: Path) -> None:
    """Train the network of a point on, compile it, and compare it with the large one."""
    best = lab.trained(point, lab.steps.best)
    questions = [trimmed(words[None]).numpy() for words in test[0]]
    names: list[str] = []
    answers: list[Answer] = []
    for name, network in (("large", lab.large), ("found", best)):
        path = work / f"{name}.niwaki"
        niwaki.compile(network, test[0][:1], output=path, lengths=LENGTHS)
        names += [f"{name}, Niwaki"]
        answers += [niwaki.load(path)]
        if other := in_onnxruntime(network):
            names += [f"{name}, ONNX Runtime"]
            answers += [other]
    print("network | test accuracy | ms a question")
    for name, answer, ms in zip(names, answers, milliseconds(answers, questions), strict=True):
        print(f"{name} | {accuracy(answer, questions, test[1].tolist()):.1%} | {ms:.4f}")


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Search an encoder within a time.")
    parser.add_argument("--data", type=Path, help="folder of data sets; or NIWAKI_DATA")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--target-ms", type=above(0), default=0.06)
    parser.add_argument("--trials", type=at_least(1), default=50)
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[0])
    options = parser.parse_args()
    lab, test = _from_folder(data_folder(options.data), options.work)
    best = compare(lab, options.target_ms, options.trials, options.seeds, options.work)
    report(lab, best, test, options.work)


if __name__ == "__main__":
    main()
