"""The plots of analyses, each from rows: similarity, sensitivity, patterns, masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from niwaki.errors import NiwakiError

from .figures import INK, LEAF, PAPER, new_figure
from .kept import KeptPattern, MaskPicture, pattern_image
from .sensitivity import Sensitivity
from .similarity import CONTROL, Similarity

if TYPE_CHECKING:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

MOST_PATTERNS = 9  # of a layer that are drawn: a library of 8, and removed kernels
LEGEND_ROWS = 24


def similarity_plot(rows: Sequence[Similarity]) -> Figure:
    """A line for each network over the layers; the control's is dashed, chance is dotted.

    Raises:
        NiwakiError: there are no rows, or Matplotlib is not installed.
    """
    layers = _names(rows)
    with new_figure(max(6.0, 2 + 0.3 * len(layers)), 5) as figure:
        axes = figure.subplots()
        for network in dict.fromkeys(row.network for row in rows):
            found = {row.layer: row for row in rows if row.network == network}
            means = [_or_nan(found[name].similarity if name in found else None) for name in layers]
            chances = [_or_nan(found[name].chance if name in found else None) for name in layers]
            control = network == CONTROL
            (line,) = axes.plot(
                layers,
                means,
                "o--" if control else "o-",
                color=INK if control else None,
                markersize=4,
                label=network,
            )
            axes.plot(layers, chances, ":", color=line.get_color(), linewidth=1)
        axes.plot([], [], ":", color=INK, label="nothing in common")
        axes.set(ylim=(0, 1.02), ylabel="SVCCA with the dense network")
        axes.set_xticks(range(len(layers)), layers, rotation=90)
        axes.grid(axis="y", color=PAPER)
        figure.legend(frameon=False, loc="outside upper center", ncols=2)
    return figure


def sensitivity_plot(rows: Sequence[Sensitivity]) -> Figure:
    """A line for each layer that was pruned: score against rate; the dense network's is dashed.

    Raises:
        NiwakiError: there are no rows with scores, or Matplotlib is not installed.
    """
    scored = [row for row in rows if row.score is not None]
    layers = _names(scored)
    with new_figure(8, max(4.0, 0.2 * min(len(layers), LEGEND_ROWS) + 1)) as figure:
        import matplotlib

        axes = figure.subplots()
        # From the first layer to the last: neighbours have like colours.
        colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(layers)))
        for name, colour in zip(layers, colours, strict=True):
            points = sorted((row.rate, row.score) for row in scored if row.layer == name)
            axes.plot(*zip(*points, strict=True), "o-", color=colour, markersize=4, label=name)
        axes.axhline(scored[0].dense, color=INK, linestyle="--", linewidth=1, label="dense")
        asked = sorted({row.asked for row in scored})
        axes.set_xscale("log", base=2)
        axes.set_xticks(asked, [f"{rate:g}x" for rate in asked])
        axes.set(xlabel="rate: weights / kept weights of the layer", ylabel="score")
        axes.grid(axis="y", color=PAPER)
        columns = -(-(len(layers) + 1) // LEGEND_ROWS)
        figure.legend(frameon=False, loc="outside right upper", ncols=columns)
    return figure


def pattern_plot(rows: Sequence[KeptPattern], most: int = MOST_PATTERNS) -> Figure:
    """The most frequent patterns of each layer, drawn with their counts and shares.

    Raises:
        NiwakiError: there are no rows, or Matplotlib is not installed.
    """
    layers = _names(rows)
    found = {name: [row for row in rows if row.layer == name] for name in layers}
    with new_figure(1 + 0.75 * most, 0.4 + 1.05 * len(layers)) as figure:
        plots = figure.subplots(len(layers), 1, squeeze=False)[:, 0]
        for axes, (name, patterns) in zip(plots, found.items(), strict=True):
            images = [pattern_image(row) for row in patterns[:most]]
            height, width = images[0].shape
            # Left out places are paper: a tap lies between each two patterns.
            strip = np.full((height, (width + 1) * most - 1), np.nan)
            for place, image in enumerate(images):
                begin = place * (width + 1)
                strip[:, begin : begin + width] = image
            axes.pcolormesh(strip, cmap=_colours(), vmin=0, vmax=1, edgecolors="w", linewidth=0.5)
            axes.set_xticks(
                [place * (width + 1) + width / 2 for place in range(len(images))],
                [f"{row.kernels:,}\n{row.share:.1%}" for row in patterns[:most]],
            )
            rest = f" of {len(patterns)}" if len(patterns) > len(images) else ""
            title = f"{name}: {len(images)}{rest} pattern{'s' if len(patterns) > 1 else ''}"
            axes.set_title(title, loc="left", fontsize="medium")
            axes.set(aspect="equal", yticks=[])
            axes.invert_yaxis()
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
    return figure


def mask_plot(picture: MaskPicture) -> Figure:
    """Kept weights are dark; lines run between kernels, and where blocks of filters begin.

    Raises:
        NiwakiError: Matplotlib is not installed.
    """
    rows, columns = picture.kept.shape
    height, width = picture.kernel
    long = 7 / max(rows, columns)
    with new_figure(1 + long * columns, 1 + long * rows) as figure:
        axes = figure.subplots()
        axes.imshow(picture.kept, cmap=_colours(), vmin=0, vmax=1, interpolation="nearest")
        step = picture.block * height
        if picture.block > 1:
            places = np.arange(step, rows, step) - 0.5
            axes.hlines(places, -0.5, columns - 0.5, color=INK, linewidth=1)
        if width > 1:
            places = np.arange(width, columns, width) - 0.5
            axes.vlines(places, -0.5, rows - 0.5, color="w", linewidth=0.6)
        if height > 1:
            places = np.arange(height, rows, height) - 0.5
            axes.hlines(places, -0.5, columns - 0.5, color="w", linewidth=0.6, zorder=1.5)
        filters = np.arange(0, rows // height, max(picture.block, rows // height // 8, 1))
        axes.set_yticks(filters * height + (height - 1) / 2, filters)
        channels = np.arange(0, columns // width, max(1, columns // width // 8))
        axes.set_xticks(channels * width + (width - 1) / 2, channels)
        axes.set(xlabel="channel", ylabel="filter")
        axes.set_title(picture.title, loc="left", fontsize="medium", wrap=True)
        axes.spines[:].set_visible(False)
    return figure


def _names(rows: Sequence[Similarity | Sensitivity | KeptPattern]) -> list[str]:
    """Layers in the order of rows."""
    if not rows:
        raise NiwakiError("there are no rows to plot")
    return list(dict.fromkeys(row.layer for row in rows))


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _colours() -> ListedColormap:
    """Paper for removed weights, green for kept ones."""
    from matplotlib.colors import ListedColormap

    return ListedColormap([PAPER, LEAF])
