"""Train the demo network on Fashion-MNIST, prune it, and write what `examples/data/` holds.

    python examples/train_fashion_mnist.py --data FOLDER_WITH_THE_FOUR_IDX_GZ_FILES

Pruning is block-punched and gradual. In each block of 8 consecutive filters a column (one channel
and tap) is kept or removed as a whole, by the L2 norm of its 8 weights. Over the first half of
fine-tuning the share of removed columns rises by a cubic schedule (Zhu and Gupta, "To prune, or not
to prune", 2017). The first convolution, the 1x1 shortcuts and the classifier stay dense: together
they hold 3 % of the weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from data_sets import MovedImages, normalised, read_fashion_mnist
from fashion_mnist import (
    DATA,
    DENSE_CHECKPOINT,
    DEVIATION,
    MEAN,
    PRUNED_CHECKPOINT,
    TEST_IMAGES,
    FashionNet,
    normalise,
)
from mistakes import in_one_line
from rich.console import Console
from rich.progress import track
from safetensors.torch import save_file
from torch import Tensor, nn

FILTERS_PER_BLOCK = 8
BATCH = 128
SHIFT = 2  # augmentation: pixels an image may move in each direction

console = Console()


def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Normalised images [N, 1, 28, 28] and labels int64 [N]."""
    return torch.from_numpy(normalise(images)), torch.from_numpy(labels.astype(np.int64))


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of `images` whose largest logit is at their label."""
    network.eval()
    with torch.inference_mode():
        hits = sum(
            int((network(batch).argmax(1) == wanted).sum())
            for batch, wanted in zip(images.split(500), labels.split(500), strict=True)
        )
    return hits / len(images)


def prunable(network: FashionNet) -> dict[str, nn.Conv2d]:
    """The 3x3 convolutions of the residual blocks."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and name != "conv1" and module.kernel_size == (3, 3)
    }


def column_mask(weight: Tensor, kept: float) -> Tensor:
    """1 for the share `kept` of columns with the largest norms in each block of filters, else 0."""
    blocks = weight.detach().reshape(-1, FILTERS_PER_BLOCK, weight[0].numel())
    norms = blocks.norm(dim=1)
    wanted = max(1, round(kept * norms.shape[1]))
    chosen = torch.zeros_like(norms).scatter_(1, norms.topk(wanted, dim=1).indices, 1.0)
    return chosen[:, None].expand_as(blocks).reshape(weight.shape)


class GradualPruner:
    """Raises the share of removed columns to ``1 - 1/rate``, and keeps what was removed at zero."""

    def __init__(
        self, layers: dict[str, nn.Conv2d], rate: float, steps: int, interval: int = 50
    ) -> None:
        self.layers, self.rate, self.steps, self.interval = layers, rate, steps, interval
        self.masks: dict[str, Tensor] = {}

    def __call__(self, step: int) -> None:
        """To be called after each step of the optimiser."""
        if step == self.steps or (step < self.steps and step % self.interval == 0):
            progress = step / self.steps
            kept = 1 - (1 - 1 / self.rate) * (1 - (1 - progress) ** 3)
            self.masks = {
                name: column_mask(layer.weight, kept) for name, layer in self.layers.items()
            }
        with torch.no_grad():
            for name, mask in self.masks.items():
                self.layers[name].weight.mul_(mask)


def train(
    network: FashionNet,
    batches: MovedImages,
    epochs: int,
    peak_rate: float,
    title: str,
    after_step: Callable[[int], None] = lambda step: None,
) -> None:
    """Train in place: SGD with Nesterov momentum, one cycle of the learning rate, cross-entropy.

    `after_step` is called with the number of steps done so far.
    """
    network.train()
    optimiser = torch.optim.SGD(
        network.parameters(), peak_rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    steps = len(batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, peak_rate, total_steps=epochs * steps, pct_start=0.25
    )
    done = 0
    for epoch in range(1, epochs + 1):
        losses, started = [], time.monotonic()
        for batch, wanted in track(
            batches, f"{title} {epoch}/{epochs}", steps, console=console, transient=True
        ):
            loss = nn.functional.cross_entropy(network(batch), wanted, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            done += 1
            after_step(done)
            losses.append(loss.item())
        seconds = time.monotonic() - started
        console.print(
            f"{title} epoch {epoch}/{epochs}: loss {np.mean(losses):.4f}, {seconds:.0f} s"
        )


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Make the demo's checkpoints and test images.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the original Fashion-MNIST idx.gz files"
    )
    parser.add_argument(
        "--output", type=Path, default=DATA, help="folder to write to (default: %(default)s)"
    )
    parser.add_argument("--dense-epochs", type=int, default=5)
    parser.add_argument("--pruned-epochs", type=int, default=6)
    parser.add_argument(
        "--rate", type=float, default=8.0, help="weights before / after pruning (default: 8)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    torch.manual_seed(options.seed)
    raw_test = read_fashion_mnist(options.data, "t10k")
    images, labels = read_fashion_mnist(options.data, "train")
    test = tensors(*raw_test)
    training = MovedImages(
        torch.tensor(images)[:, None],
        torch.tensor(labels, dtype=torch.int64),
        BATCH,
        SHIFT,
        partial(normalised, means=(MEAN,), deviations=(DEVIATION,)),
    )
    options.output.mkdir(parents=True, exist_ok=True)
    images, labels = raw_test
    np.savez_compressed(
        options.output / TEST_IMAGES.name, images=images[:1000], labels=labels[:1000]
    )

    # Channels-last is faster to train with; checkpoints are plain [F, C, KH, KW].
    network = FashionNet().to(memory_format=torch.channels_last)
    train(network, training, options.dense_epochs, 0.15, "dense")
    save(network, options.output / DENSE_CHECKPOINT.name)
    console.print(f"dense: {accuracy(network, *test):.2%} of the {len(test[0]):,} test images")

    steps = options.pruned_epochs * len(training)
    pruner = GradualPruner(prunable(network), options.rate, steps // 2)
    train(network, training, options.pruned_epochs, 0.1, "pruned", pruner)
    save(network, options.output / PRUNED_CHECKPOINT.name)
    console.print(f"pruned: {accuracy(network, *test):.2%} of the {len(test[0]):,} test images")
    for name, layer in prunable(network).items():
        console.print(
            f"  {name}: {int(layer.weight.count_nonzero())} of {layer.weight.numel()} weights kept"
        )


def save(network: nn.Module, path: Path) -> None:
    """Write all parameters and batch-norm statistics."""
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    console.print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()
