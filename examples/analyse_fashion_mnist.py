"""Look into the demo's pruned network: does it see what the dense one sees, and which layers mind?

    python examples/analyse_fashion_mnist.py

It needs `pip install '.[analysis,examples]'` and no data but what the repository has, takes about a
minute on one core, and writes tables and plots into build/analysis. A dense network from another
seed is the control: what two trainings of one network differ by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from fashion_mnist import (
    CONTROL_CHECKPOINT,
    DENSE_CHECKPOINT,
    PRUNED_CHECKPOINT,
    FashionNet,
    load_network,
    load_test_images,
)
from mistakes import in_one_line
from torch import Tensor, nn
from train_fashion_mnist import accuracy

import niwaki
from niwaki.pruning.analysis import (
    CONTROL,
    compare,
    kept_patterns,
    mask_picture,
    mask_plot,
    pattern_plot,
    save_figure,
    sensitivity,
    sensitivity_plot,
    similarity_plot,
    write_rows,
)

OUTPUT = Path(__file__).resolve().parent.parent / "build" / "analysis"
DRAWN = "layer2.0.conv2"  # the layer whose mask is a picture


def networks(dense: nn.Module) -> dict[str, nn.Module]:
    """What the dense network is compared with."""
    torch.manual_seed(0)
    return {
        "pruned 8x, retrained": load_network(PRUNED_CHECKPOINT),
        "pruned 8x, not retrained": niwaki.prune(
            dense, scheme="block_punched", rate=8, method="magnitude"
        ),
        CONTROL: load_network(CONTROL_CHECKPOINT),
        "not trained": FashionNet(),
    }


def analyse(images: Tensor, labels: Tensor, folder: Path) -> None:
    """Write all tables and plots."""
    dense = load_network(DENSE_CHECKPOINT)

    similar = compare(dense, networks(dense), images.split(100))
    write_rows(similar, folder / "similarity.csv")
    save_figure(similarity_plot(similar), folder / "similarity.svg")
    for network in dict.fromkeys(row.network for row in similar):
        values = [row.similarity for row in similar if row.network == network]
        known = [value for value in values if value is not None]
        print(f"{network}: SVCCA {sum(known) / len(known):.2f}, mean of {len(known)} layers")

    patterned = niwaki.prune(dense, scheme="pattern", rate=4.5, method="magnitude")
    patterns = kept_patterns(patterned)
    write_rows(patterns, folder / "patterns.csv")
    save_figure(pattern_plot(patterns), folder / "patterns.svg")
    picture = mask_picture(load_network(PRUNED_CHECKPOINT), DRAWN)
    save_figure(mask_plot(picture), folder / "mask.svg")
    print(picture.title)

    rows = sensitivity(
        dense,
        lambda network: accuracy(network, images, labels),
        scheme="block_punched",
        rates=(2, 4, 8),
    )
    write_rows(rows, folder / "sensitivity.csv")
    save_figure(sensitivity_plot(rows), folder / "sensitivity.svg")
    scored = [(row.score, row.layer) for row in rows if row.score is not None and row.asked == 8]
    for what, (score, layer) in (("most", min(scored)), ("least", max(scored))):
        print(f"{layer} minds {what} to be pruned by 8: {score:.1%}, dense {rows[0].dense:.1%}")


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Analyse the demo's pruned network.")
    parser.add_argument("--images", type=int, default=1000, help="how many test images to look at")
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="folder to write to (default: %(default)s)"
    )
    options = parser.parse_args()

    torch.set_num_threads(1)  # results then do not depend on the number of cores
    images, labels = (torch.from_numpy(array)[: options.images] for array in load_test_images())
    options.output.mkdir(parents=True, exist_ok=True)
    analyse(images, labels, options.output)
    print(f"wrote {', '.join(sorted(file.name for file in options.output.iterdir()))}")


if __name__ == "__main__":
    main()
