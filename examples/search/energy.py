"""Search scheme, rate and bits of each layer for least energy, without retraining.

    python examples/search/energy.py residual --data FOLDER     the demo's network, Fashion-MNIST
    python examples/search/energy.py mobilenet --data FOLDER    a small MobileNetV2, trained first
    python examples/search/energy.py resnet20 --data FOLDER     CIFAR-10, trained first

Each sampler has as many trials, for each seed. A trial is judged by 1,000 training images, which
the MobileNet has not been trained on and the others have; the one that is chosen, by all 10,000
test images. Energies are counted (`niwaki.pruning.EnergyModel`); savings are against the
dense network of 8 bits, losses against the network of floats.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(FOLDER), str(FOLDER / "networks")]

import torch  # noqa: E402 - what follows lies in these folders
from data_sets import data_folder  # noqa: E402
from mistakes import above, at_least, in_one_line  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from search.tasks import TASKS, accuracy  # noqa: E402
from small_mobilenet import SmallMobileNet  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from niwaki.pruning import (  # noqa: E402
    EnergyModel,
    EnergySearch,
    EnergyTrial,
    save_settings,
    search_energy,
)

# Whose data networks take.
TASK_OF = {"residual": "fashion", "mobilenet": "fashion", "resnet20": "resnet20"}
HELD_OUT = 1000
CALIBRATION, BATCHES = 64, 4  # images of a batch
FRONT = 2  # times what may be lost, up to which fronts are compared


def batches(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All images in their order."""
    return zip(images.split(size), labels[: len(images)].split(size), strict=True)


def trained(images: Tensor, labels: Tensor, path: Path, epochs: int) -> nn.Module:
    """The MobileNet, from the file if it is there."""
    torch.manual_seed(0)
    network = SmallMobileNet()
    if path.exists():
        network.load_state_dict(load_file(path))
        return network.eval()
    optimizer = torch.optim.SGD(
        network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    steps = epochs * -(-len(images) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=steps)
    for epoch in range(epochs):
        for chosen in torch.randperm(len(images)).split(128):
            loss = functional.cross_entropy(network(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {epochs}: loss {float(loss.detach()):.3f}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), path)
    return network.eval()


def report(found: EnergySearch, best: EnergyTrial | None, test: tuple[Tensor, Tensor]) -> str:
    """The chosen trial on held-out and on test images."""
    if best is None:
        least = min(trial.lost for trial in found.front)
        return f"nothing loses so little, the least is {100 * least:.1f} points"
    with torch.no_grad():
        after = accuracy(found.network(best), test)
    return f"{best.saved:.1%} | {100 * best.lost:.1f} | {after:.2%}"


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Search for least energy.")
    parser.add_argument("network", choices=TASK_OF)
    parser.add_argument("--data", type=Path, help="folder of data sets; or NIWAKI_DATA")
    parser.add_argument("--work", type=Path, default=Path("build", "energy"))
    parser.add_argument("--trials", type=at_least(1), default=100)
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[0])
    parser.add_argument("--samplers", nargs="+", default=["agent", "random", "same"])
    parser.add_argument("--most-lost", type=above(0), default=0.017, help="of accuracy")
    parser.add_argument("--epochs", type=at_least(1), default=6, help="of the MobileNet's training")
    parser.add_argument(
        "--weight-byte", type=above(0), help="picojoules; 12.5 is an SRAM's, the default DRAM's"
    )
    options = parser.parse_args()

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    data, task = data_folder(options.data), TASKS[TASK_OF[options.network]]
    images, labels = task.read(data, "train")
    test = task.test(data)
    held_out = task.normalise(images[-HELD_OUT:]), labels[-HELD_OUT:]
    file = options.work / f"{options.network}.safetensors"
    if options.network == "mobilenet":
        kept = task.normalise(images[:-HELD_OUT]), labels[:-HELD_OUT]
        network = trained(*kept, file, options.epochs)
    else:
        network = task.trained(data, file)
    calibration = task.normalise(images[: BATCHES * CALIBRATION])
    energy = EnergyModel()
    if options.weight_byte is not None:
        energy = EnergyModel(weight_byte=options.weight_byte)
    print(f"floats: {accuracy(network, test):.2%} of test images")

    print("sampler | seed | hypervolume | saved | points lost | test | seconds")
    for seed in options.seeds:
        for sampler in options.samplers:
            started = time.monotonic()
            found = search_energy(
                network,
                list(batches(calibration, labels, CALIBRATION)),
                lambda candidate: accuracy(candidate, held_out),
                trials=options.trials,
                most_lost=options.most_lost,
                sampler=sampler,
                energy=energy,
                seed=seed,
            )
            front = found.hypervolume(FRONT * options.most_lost)
            fit = [trial for trial in found.front if trial.lost <= options.most_lost]
            best = max(fit, key=lambda trial: trial.saved, default=None)
            if best is not None:
                options.work.mkdir(parents=True, exist_ok=True)
                path = options.work / f"{options.network}-{sampler}-{seed}.json"
                save_settings(best.settings, path)
            seconds = time.monotonic() - started
            row = report(found, best, test)
            print(f"{sampler} | {seed} | {front:.4f} | {row} | {seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()
