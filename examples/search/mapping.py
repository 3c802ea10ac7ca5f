"""Scheme mapping beside single schemes at one rate, all within the same measured time.

    python examples/search/mapping.py fashion --data FOLDER --ms 0.038 --seeds 0 1

Networks are those of `tasks.py`. First it is measured what layers may become, for which the machine
should be idle; then each choice is trained alike. Accuracies are of all 10,000 test images. Choices
and the dense network are kept in `build/mapping`, so that a run that is killed goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))

import torch  # noqa: E402 - what follows lies in this folder
from data_sets import MovedImages, data_folder  # noqa: E402
from mistakes import above, at_least, in_one_line  # noqa: E402
from search.tasks import TASKS, accuracy, loss  # noqa: E402
from torch import Tensor, nn  # noqa: E402

import niwaki  # noqa: E402
from niwaki.atomic import atomic_file  # noqa: E402
from niwaki.costs.price import MEASURE, priced  # noqa: E402
from niwaki.errors import NiwakiError  # noqa: E402
from niwaki.layer_costs import LayerCosts, Setting  # noqa: E402
from niwaki.pruning import LayerRule, PruningConfig, prune, select  # noqa: E402
from niwaki.time_limit.network_time import Timer, timer  # noqa: E402

MAPPINGS = ("search", "rules")
SINGLE = ("block_punched", "block_punched(filters=4)", "unstructured", "pattern")
METHOD = "gradual"
WITHIN, ROUNDS, MOST_RATE = 0.03, 5, 64.0


@dataclass(frozen=True)
class Plan:
    """What layers become: scheme and rate of each, and the seconds that a call then takes."""

    name: str
    seconds: float
    layers: Mapping[str, tuple[str, float]]

    def config(self) -> PruningConfig:
        rules = [LayerRule([name], scheme, rate) for name, (scheme, rate) in self.layers.items()]
        return PruningConfig(layers=rules, include=list(self.layers))


def single(
    model: nn.Module, scheme: str, limit: float, costs: LayerCosts, seconds_of: Timer
) -> Plan:
    """The smallest rate found at which one scheme for all layers takes at most `limit` seconds.

    Raises:
        NiwakiError: it takes longer at any rate, or fits no layer.
    """
    aim, best = limit, None
    for _ in range(ROUNDS):
        low, high = 1.01, MOST_RATE
        for _ in range(20):
            rate = math.sqrt(low * high)
            settings = {name: Setting(*one) for name, one in _fitting(model, scheme, rate).items()}
            known = {name: one for name, one in settings.items() if name in costs.layers}
            low, high = (low, rate) if costs.network(known) <= aim else (rate, high)
        config = PruningConfig(scheme, high)
        seconds = seconds_of(prune(model, config=config, method="magnitude", progress=False))
        if seconds <= limit and (best is None or seconds > best.seconds):
            best = Plan(f"{scheme} {high:.1f}x", seconds, _fitting(model, scheme, high))
        if (1 - WITHIN) * limit <= seconds <= limit:
            break
        aim *= (1 - WITHIN / 2) * limit / seconds
    if best is None:
        raise NiwakiError(f"{scheme} takes {1e3 * seconds:.3g} ms even at {high:.3g}x")
    return best


def _fitting(model: nn.Module, scheme: str, rate: float) -> dict[str, tuple[str, float]]:
    """All layers that can be so."""
    targets = select(model, PruningConfig(scheme, rate))
    return {target.layer.name: (scheme, rate) for target in targets}


def plans(model: nn.Module, batches: MovedImages, call: Tensor, ms: float) -> list[Plan]:
    """Mappings, and all single schemes that can be so fast; it is told which cannot."""
    found = []
    for mapping in MAPPINGS:
        limited = niwaki.prune_within(
            model, batches, target_ms=ms, mapping=mapping, method="magnitude", progress=False,
            loss=loss,
        )  # fmt: skip
        layers = {name: (one.scheme, one.rate) for name, one in limited.settings.items()}
        found.append(Plan(f"mapping by {mapping}", limited.seconds[0], layers))
    with priced(model, call) as costs, timer(call, "host", MEASURE, "f32", costs) as seconds_of:
        print(f"dense | {1e3 * seconds_of(model):.4f} ms")
        for scheme in SINGLE:
            try:
                found.append(single(model, scheme, 1e-3 * ms, costs, seconds_of))
            except NiwakiError as error:
                print(f"left out: {error}")
    return found


def kept_plans(
    file: Path, model: nn.Module, batches: MovedImages, call: Tensor, ms: float
) -> list[Plan]:
    """From the file; found and written if it is not there."""
    if not file.exists():
        found = [asdict(plan) for plan in plans(model, batches, call, ms)]
        with atomic_file(file) as kept:
            kept.write(json.dumps(found, indent=1).encode())
    return [Plan(**fields) for fields in json.loads(file.read_text())]


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Compare mapped schemes with single ones.")
    parser.add_argument("network", choices=TASKS)
    parser.add_argument("--data", type=Path, help="folder of data sets; or NIWAKI_DATA")
    parser.add_argument("--work", type=Path, default=Path("build", "mapping"))
    parser.add_argument("--ms", type=above(0), default=0.05, help="what a call may take")
    parser.add_argument("--images", type=at_least(1), default=10000, help="how many to train on")
    parser.add_argument("--epochs", type=at_least(1), default=4)
    parser.add_argument("--seeds", type=at_least(0), nargs="*", default=[0])
    options = parser.parse_args()

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    data, task = data_folder(options.data), TASKS[options.network]
    model = task.trained(data, options.work / f"{options.network}.safetensors")
    batches, test = task.batches(data, options.images), task.test(data)
    print(f"dense: {accuracy(model, test):.2%}")
    file = options.work / f"{options.network}-{options.ms:g}.json"
    for plan in (found := kept_plans(file, model, batches, test[0][:1], options.ms)):
        print(f"{plan.name} | {1e3 * plan.seconds:.4f} ms")
    for seed in options.seeds:
        for plan in found:
            torch.manual_seed(seed)
            with task.training():
                pruned = prune(
                    model, batches, config=plan.config(), method=METHOD, epochs=options.epochs,
                    loss=loss, progress=False,
                )  # fmt: skip
            print(f"{plan.name} | seed {seed} | {accuracy(pruned, test):.2%}", flush=True)


if __name__ == "__main__":
    main()
