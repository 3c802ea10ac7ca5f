"""Plots of analyses, by what they show."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from niwaki.errors import NiwakiError
from niwaki.pruning.analysis import (
    CONTROL,
    KeptPattern,
    MaskPicture,
    Sensitivity,
    Similarity,
    mask_plot,
    pattern_plot,
    save_figure,
    sensitivity_plot,
    similarity_plot,
)


def similarities() -> list[Similarity]:
    return [
        Similarity(layer, network, value, chance, 500, 5, 5)
        for layer, of_layer in {"conv $1$": (0.9, 0.95), "fc": (None, 0.8)}.items()
        for network, value, chance in zip(("pruned", CONTROL), of_layer, (0.1, 0.2), strict=True)
    ]


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


def ys(line: Any) -> list[float]:
    return list(line.get_ydata())


def test_similarity() -> None:
    figure = similarity_plot(similarities())
    (axes,) = figure.axes
    assert texts(axes.get_xticklabels()) == ["conv $1$", "fc"]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["pruned"].get_ydata(), [0.9, np.nan])
    np.testing.assert_array_equal(lines[CONTROL].get_ydata(), [0.95, 0.8])
    assert (lines["pruned"].get_linestyle(), lines[CONTROL].get_linestyle()) == ("-", "--")
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert [ys(line) for line in dotted] == [[0.1, 0.1], [0.2, 0.2], []]
    (legend,) = figure.legends
    assert texts(legend.get_texts()) == ["pruned", CONTROL, "nothing in common"]


def test_networks_of_several_runs_share_a_plot() -> None:
    """Rows that are put together; a layer may be missing in some."""
    rows = [*similarities(), Similarity("fc", "other", 0.5, 0.1, 500, 5, 5)]
    (axes,) = similarity_plot(rows).axes
    (other,) = (line for line in axes.lines if line.get_label() == "other")
    np.testing.assert_array_equal(other.get_ydata(), [np.nan, 0.5])


def sensitivities() -> list[Sensitivity]:
    row = Sensitivity("conv1", "pattern", 2, 2.25, 0.9, 0.95)
    return [
        replace(row, asked=4, rate=4.5, score=0.7),
        row,
        replace(row, layer="conv2", rate=2, score=0.93),
        replace(row, layer="fc", rate=None, score=None, remark="patterns do not fit"),
    ]


def test_sensitivity() -> None:
    figure = sensitivity_plot(sensitivities())
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines) == ["conv1", "conv2", "dense"]
    np.testing.assert_array_equal(lines["conv1"].get_xdata(), [2.25, 4.5])
    assert ys(lines["conv1"]) == [0.9, 0.7]
    assert ys(lines["dense"]) == [0.95, 0.95]
    assert texts(axes.get_xticklabels()) == ["2x", "4x"]
    assert lines["conv1"].get_color() is not lines["conv2"].get_color()
    (legend,) = figure.legends
    assert texts(legend.get_texts()) == list(lines)


def test_deep_networks_have_a_legend_of_columns() -> None:
    rows = [Sensitivity(f"conv{i}", "filter", 2, 2.0, 0.5, 0.9) for i in range(60)]
    legends: Any = sensitivity_plot(rows).legends
    assert [legend._ncols for legend in legends] == [3]


def patterns() -> list[KeptPattern]:
    return [
        KeptPattern("conv1", "3x3", "0-1-3-4", 1200, 0.6),
        KeptPattern("conv1", "3x3", "", 500, 0.25),
        KeptPattern("conv1", "3x3", "4", 300, 0.15),
        KeptPattern("conv2", "1x3", "2", 7, 1.0),
    ]


def test_patterns() -> None:
    first, second = pattern_plot(patterns(), most=2).axes
    assert texts(first.get_xticklabels()) == ["1,200\n60.0%", "500\n25.0%"]
    assert first.get_title(loc="left") == "conv1: 2 of 3 patterns"
    assert second.get_title(loc="left") == "conv2: 1 pattern"
    meshes: Any = first.collections
    (mesh,) = meshes
    drawn = np.ma.filled(mesh.get_array().astype(float), np.nan).reshape(3, 7)
    expected = np.zeros((3, 7))
    expected[:2, :2] = 1
    expected[:, 3] = np.nan
    np.testing.assert_array_equal(drawn, expected)
    assert list(first.get_xticks()) == [1.5, 5.5], "below the middles of patterns"


def test_mask() -> None:
    kept = np.random.default_rng(0).random((12, 9)) < 0.4
    (axes,) = mask_plot(MaskPicture(kept, (3, 3), 2, "conv: some scheme")).axes
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), kept)
    assert axes.get_title(loc="left") == "conv: some scheme"
    drawn: Any = axes.collections
    blocks, columns, kernels = ([segment[0] for segment in lines.get_segments()] for lines in drawn)
    assert [y for _, y in blocks] == [5.5], "blocks of 2 filters"
    assert [x for x, _ in columns] == [2.5, 5.5]
    assert [y for _, y in kernels] == [2.5, 5.5, 8.5]
    assert texts(axes.get_yticklabels()) == ["0", "2"]
    assert texts(axes.get_xticklabels()) == ["0", "1", "2"]


def test_mask_without_blocks_or_kernels() -> None:
    (axes,) = mask_plot(MaskPicture(np.eye(40, dtype=np.bool_), (1, 1), 1, "fc")).axes
    assert not axes.collections
    assert len(axes.get_yticks()) == 8


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_files(tmp_path: Path, suffix: str) -> None:
    """The same rows give the same bytes."""
    for name in ("first", "second"):
        save_figure(similarity_plot(similarities()), tmp_path / f"{name}{suffix}")
    content = (tmp_path / f"first{suffix}").read_bytes()
    assert content == (tmp_path / f"second{suffix}").read_bytes()
    assert content.startswith({".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix])
    if suffix == ".svg":
        found = {element.text for element in ElementTree.fromstring(content).iter()}
        assert {"conv $1$", "fc", "pruned", "control", "nothing in common"} <= found


def test_wrong_files(tmp_path: Path) -> None:
    figure = similarity_plot(similarities())
    with pytest.raises(NiwakiError, match=r"plot\.txt: plots are \.svg, \.png, \.pdf files: call"):
        save_figure(figure, tmp_path / "plot.txt")
    with pytest.raises(NiwakiError, match=r"folder .* does not exist; create it first"):
        save_figure(figure, tmp_path / "none" / "plot.svg")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("plot", [similarity_plot, sensitivity_plot, pattern_plot])
def test_nothing_to_plot(plot: Any) -> None:
    with pytest.raises(NiwakiError, match=r"^there are no rows to plot$"):
        plot([])
    with pytest.raises(NiwakiError, match=r"^there are no rows to plot$"):
        sensitivity_plot(sensitivities()[3:])


def test_missing_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = "plots need Matplotlib: pip install 'niwaki[analysis]'"
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        similarity_plot(similarities())
    with pytest.raises(NiwakiError, match=f"^{re.escape(message)}$"):
        pattern_plot(patterns())
