"""Search a pruned student while the dense network teaches it, in one loop. After CASD.

    python examples/search/cooperative.py --data FOLDER --rate 3 --seeds 0 1

ResNet-20 on CIFAR-10. Filters have gates that learn with the weights (the method search), and rates
are of time, by what layers cost on this machine. Three ways are compared, of as many epochs:

    cooperative   gates and weights learn from labels and from the teacher, from the first step on
    in turn       gates learn from labels; what they leave is then retrained with the teacher
    alone         without a teacher

Accuracies are of all 10,000 test images; times are measured. What is trained is kept in
`build/cooperative`, so that a run that is killed goes on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

import torch  # noqa: E402 - what follows lies in this folder
from data_sets import MovedImages, data_folder  # noqa: E402
from mistakes import above, at_least, in_one_line  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from search.tasks import TASKS, Task, accuracy, loss, sgd  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from niwaki.costs.price import MEASURE, priced  # noqa: E402
from niwaki.layer_costs import LayerCosts  # noqa: E402
from niwaki.module_copy import copy_module  # noqa: E402
from niwaki.pruning import Distillation, PruningConfig, parse_scheme, prune  # noqa: E402
from niwaki.time_limit.network_time import Timer, timer  # noqa: E402

WAYS = {
    "cooperative": Distillation(from_start=True),
    "in turn": Distillation(),
    "alone": None,
}
METHOD = "search"
SEARCHED = ("conv1", "layer*")  # all but the classifier
RATE = 0.05  # of learning, at the start


@dataclass(frozen=True)
class Lab:
    """What students need.

    Attributes:
        dense: the teacher, and what students begin with.
        work: keeps students.
        scheme: whose filters or blocks have gates.
        rate: the teacher's time over a student's, by costs.
    """

    task: Task
    dense: nn.Module
    batches: MovedImages
    costs: LayerCosts
    work: Path
    scheme: str
    rate: float
    epochs: int

    def student(self, way: str, seed: int) -> nn.Module:
        """Searched and trained, or read where it was before."""
        name = f"{self.scheme}-{self.rate:g}x-{self.epochs}-{way.replace(' ', '-')}-{seed}"
        file = self.work / f"{name}.safetensors"
        if not file.exists():
            torch.manual_seed(seed)
            with self.task.training():
                found = prune(
                    self.dense, self.batches, method=METHOD, epochs=self.epochs, loss=loss,
                    config=PruningConfig(
                        self.scheme, self.rate, include=SEARCHED, costs=self.costs
                    ),
                    distillation=WAYS[way], optimizer=sgd(RATE), progress=False,
                    checkpoint=file.with_suffix(".ckpt"),
                )  # fmt: skip
            save_file(found.state_dict(), file)
        student = copy_module(self.dense)
        student.load_state_dict(load_file(file))
        return student.eval()


def compare(lab: Lab, seeds: list[int], seconds_of: Timer, test: tuple[Tensor, Tensor]) -> None:
    """Print accuracy and time of each student, and the mean of each way."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    print("way | seed | accuracy | ms")
    for seed in seeds:
        for way, rows in found.items():
            student = lab.student(way, seed)
            rows.append((accuracy(student, test), 1e3 * seconds_of(student)))
            print(f"{way} | {seed} | {rows[-1][0]:.2%} | {rows[-1][1]:.4f}", flush=True)
    for way, rows in found.items() if seeds else ():
        right, ms = (mean(column) for column in zip(*rows, strict=True))
        print(f"{way} | mean | {right:.2%} | {ms:.4f}")


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Compare ways to search and teach a student.")
    parser.add_argument("--data", type=Path, help="folder of data sets; or NIWAKI_DATA")
    parser.add_argument("--work", type=Path, default=Path("build", "cooperative"))
    parser.add_argument("--rate", type=above(1), default=3.0, help="time of the dense network / ms")
    parser.add_argument("--scheme", default="filter", help="or one of blocks")
    parser.add_argument(
        "--images", type=at_least(1), default=10000, help="how many to train students on"
    )
    parser.add_argument("--epochs", type=at_least(1), default=8, help="of a student")
    parser.add_argument("--seeds", type=at_least(0), nargs="*", default=[0])
    options = parser.parse_args()
    parse_scheme(options.scheme)

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    data, task = data_folder(options.data), TASKS["resnet20"]
    dense = task.trained(data, options.work / "resnet20.safetensors")
    batches, test = task.batches(data, options.images), task.test(data)
    call = test[0][:1]
    with (
        priced(dense, call) as costs,
        timer(call, "host", MEASURE, "f32", costs) as seconds_of,
    ):
        print(f"teacher | | {accuracy(dense, test):.2%} | {1e3 * seconds_of(dense):.4f}")
        lab = Lab(
            task, dense, batches, costs, options.work, options.scheme, options.rate, options.epochs
        )
        compare(lab, options.seeds, seconds_of, test)


if __name__ == "__main__":
    main()
