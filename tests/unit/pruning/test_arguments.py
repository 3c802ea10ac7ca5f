"""Arguments of pruning of the wrong kind: one line that names each, and what it takes."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from unit.pruning.tiny_task import loader, network

import niwaki
from niwaki.errors import NiwakiError
from niwaki.pruning import (
    METHODS,
    PRUNING_SCHEMES,
    Distillation,
    LayerRule,
    Pruner,
    PruningConfig,
    find_layers,
    load_config,
    mask_function,
    select,
)

NAN, INFINITE = float("nan"), float("inf")
WRONG: dict[str, list[Any]] = {
    "model": [network().state_dict(), nn.Linear, np.zeros(3), torch.zeros(2), None, "net.py:make"],
    "train_loader": [3, True],
    "scheme": ["patern", 3, PRUNING_SCHEMES["pattern"], "pattern(tap=4)", "n_m(m=x)", ["pattern"]],
    "rate": ["8", 0.5, 0, -1, NAN, INFINITE, True, [8]],
    "method": ["chance", 3, METHODS["admm"], "admm(rho=x)", None],
    "epochs": ["1", 1.5, -1, True, None],
    "loss": ["cross_entropy", None, 3, lambda outputs: outputs.sum()],
    "eval": ["accuracy", 3, lambda: 0.5],
    "config": [{"rate": 8}, "pruning.yaml", 3, PruningConfig],
    "learning_rate": ["1e-3", -1, NAN, None],
    "optimizer": [
        torch.optim.SGD(network().parameters(), 0.1),
        "adam",
        lambda parameters: 3,
        lambda: torch.optim.Adam(network().parameters()),
    ],
    "checkpoint": [3, True, ["run.ckpt"]],
    "progress": [None, "no", 1],
    "example": [3, "image", np.zeros((1, 1, 12, 12))],
    "distillation": [0.5, "dense"],
}
CONFIG: dict[str, list[Any]] = {
    "scheme": ["patern", 3, None, ["pattern"]],
    "rate": ["8", 0.5, NAN, INFINITE, None, True],
    "layers": ["conv", {"conv": 8}, ["conv"], [("conv", 8)], 3, None],
    "include": ["2", 3, [2], {"2": 8}],
    "exclude": ["2", 3, [2], None],
    "budget": ["time", 3, None, ["flops"]],
    "times": [3, ["times.json"], True],
    "costs": [3, "costs.sqlite", {"2": 1e-3}, True],
}
RULE: dict[str, list[Any]] = {
    "match": ["2", 3, None, [2], []],
    "scheme": ["patern", 3, ["pattern"]],
    "rate": ["8", 0.5, NAN, True],
}


def cases(wrong: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for name, values in wrong.items() for value in values]


def refusal(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(NiwakiError) as caught:
        call(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_no_argument_is_forgotten() -> None:
    assert set(inspect.signature(niwaki.prune).parameters) == set(WRONG)
    assert {field.name for field in fields(PruningConfig)} == set(CONFIG)
    assert {field.name for field in fields(LayerRule)} == set(RULE)


@pytest.mark.parametrize(("name", "value"), cases(WRONG))
def test_each_argument_of_the_wrong_kind(name: str, value: Any) -> None:
    options: dict[str, Any] = {
        "model": network(), "train_loader": loader(32), "epochs": 1, "scheme": "filter", "rate": 2,
        "method": "gradual", "progress": False, name: value,
    }  # fmt: skip
    text = refusal(niwaki.prune, **options)
    assert name in text
    if isinstance(value, (str, int, float)):
        assert str(value).partition("(")[0] in text


@pytest.mark.parametrize(("name", "value"), cases(CONFIG))
def test_each_value_of_a_configuration(name: str, value: Any) -> None:
    config = replace(PruningConfig("filter", 2), **{name: value})
    assert name in refusal(select, network(), config)
    assert name in refusal(niwaki.prune, network(), config=config, method="magnitude")


@pytest.mark.parametrize(("name", "value"), cases(RULE))
def test_each_value_of_a_rule(name: str, value: Any) -> None:
    rule = replace(LayerRule(["2"]), **{name: value})
    text = refusal(select, network(), PruningConfig("filter", 2, [rule]))
    assert name in text


@pytest.mark.parametrize("name", [*PRUNING_SCHEMES, *METHODS])
def test_each_parameter_of_schemes_and_methods(name: str) -> None:
    """Given to the class itself, and not as text."""
    what, kinds = ("scheme", PRUNING_SCHEMES) if name in PRUNING_SCHEMES else ("method", METHODS)
    kind: Any = kinds[name]
    for field in fields(kind):
        if not field.init:
            continue
        for value in ("x" if type(field.default) is not str else 3, None, [1], NAN):
            if field.default != field.default or (value is NAN and type(field.default) is str):
                continue
            options: dict[str, Any] = {what: kind(**{field.name: value}), "rate": 2, "epochs": 1}
            text = refusal(niwaki.prune, network(), loader(32), progress=False, **options)
            assert text.startswith(f"pruning {what} '{name}': {field.name} is ")


@pytest.mark.parametrize("weight", ["half", None, NAN, 0, 2, True])
def test_distillation(weight: Any) -> None:
    assert "weight of distillation" in refusal(Distillation, weight)
    assert "temperature" in refusal(Distillation, temperature=weight if weight != 2 else 0)


@pytest.mark.parametrize("value", [network().state_dict(), nn.Linear, np.zeros(3), None])
def test_what_is_no_model(value: Any) -> None:
    for call in (find_layers, mask_function, lambda model: select(model, PruningConfig())):
        assert refusal(call, value).startswith("the model is ")
    assert refusal(Pruner, value, PruningConfig()).startswith("the model is ")


def test_other_functions() -> None:
    assert refusal(load_config, 3) == "config is the path of a file, not 3"
    pruner = Pruner(network(), PruningConfig("filter", 2), "gradual")
    assert refusal(pruner.before_training, "1", 2).startswith("epochs is a whole number from 0 on")
    assert refusal(pruner.before_training, 1, 0).startswith("steps is a whole number from 1 on, no")


@pytest.mark.parametrize(
    "options",
    [{"method": "layerwise"}, {"method": "search", "rate": 1.1, "epochs": 1},
     {"config": PruningConfig(budget="flops"), "method": "magnitude"}],
    ids=["layerwise", "search", "flops"],
)  # fmt: skip
@pytest.mark.parametrize("example", [torch.zeros(1, 3, 12, 12), torch.zeros(()), (1, 2)])
def test_an_example_that_the_network_does_not_take(options: Any, example: Any) -> None:
    given: dict[str, Any] = {"scheme": "filter", "rate": 2, "progress": False, "example": example}
    text = refusal(niwaki.prune, network(), loader(32), **(given | options))
    assert text.startswith("the network cannot take the example ")


def test_a_network_without_parameters() -> None:
    options: dict[str, Any] = {"method": "magnitude", "example": torch.zeros(1)}
    assert refusal(niwaki.prune, nn.ReLU(), **options).startswith("no layer is left to prune")


@pytest.mark.parametrize(
    ("scheme", "rate", "limit"),
    [
        ("pattern(taps=99)", 8, "2, 6 (patterns of 99 taps need kernels with more, and these have "
         "9: choose another scheme for the layer, or exclude it)"),
        ("n_m", 3, "2, 6 (n_m(m=4) prunes at rates of 1, 1.33333, 2, 4, not 3)"),
        ("filter", 40, "2, 6 (filter at a rate of 40 keeps nothing: choose a smaller rate)"),
        ("block_punched(filters=0)", 8, "filters is at least 1, not 0)"),
        ("pattern", 2, "2, 6 (patterns of 4 of 9 taps prune by 2.25 at least, not 2)"),
    ],
)  # fmt: skip
def test_the_limit_is_named_where_nothing_is_left(scheme: str, rate: float, limit: str) -> None:
    text = refusal(niwaki.prune, network(), scheme=scheme, rate=rate, method="magnitude")
    assert text.startswith("no layer is left to prune to ")
    assert limit in text
    assert "0 (first of the network)" in text


def test_a_scheme_or_rate_is_wrong_also_where_there_is_nothing_to_prune() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Linear(8, 4))
    assert "unknown pruning scheme 'patern'" in refusal(niwaki.prune, model, scheme="patern")
    assert "a pruning rate is at least 1" in refusal(niwaki.prune, model, rate=0.5)


@pytest.mark.parametrize("method", sorted(name for name in METHODS if METHODS[name].trains))
def test_methods_that_train_say_what_is_missing(method: str) -> None:
    options: dict[str, Any] = {"method": method, "rate": 2, "example": torch.zeros(1, 1, 12, 12)}
    options["scheme"] = {"search": "filter", "halving": "pattern"}.get(method, "filter")
    options["rate"] = 2.25
    text = refusal(niwaki.prune, network(), loader(32), **options)
    assert text.startswith(f"{method} prunes while it trains: give epochs=1 or more")
    text = refusal(niwaki.prune, network(), **options)
    assert text.startswith(f"{method} prunes while it trains: give train_loader and epochs=1 or ")


IMAGES = torch.zeros(4, 1, 12, 12)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((IMAGES, torch.tensor([0, 1, 2, 9])), "the loss cannot take outputs float32[4, 4] of the "
         "network and targets int64[4] from 0 to 9 of train_loader: IndexError: Target 9 is out"),
        ((IMAGES, torch.tensor([0, 1, 2, -1])), "the loss cannot take outputs float32[4, 4]"),
        ((IMAGES, torch.zeros(3, dtype=torch.int64)), "the loss cannot take outputs float32[4, 4]"),
        ((IMAGES, 3), "the loss cannot take outputs float32[4, 4] of the network and targets 3 "),
        ((IMAGES, ["cat"] * 4), "the loss cannot take outputs float32[4, 4] of the network and "),
        ((torch.zeros(4, 3, 12, 12), torch.zeros(4).long()), "the network cannot take inputs "
         "float32[4, 3, 12, 12] of train_loader: RuntimeError: Given groups=1"),
        ((IMAGES.double(), torch.zeros(4).long()), "the network cannot take inputs float64[4, 1"),
        (((IMAGES, IMAGES), torch.zeros(4).long()), "the network cannot take inputs (float32[4, "),
        ((np.zeros((4, 1, 12, 12)), torch.zeros(4).long()), "the network cannot take inputs an "),
    ],
)  # fmt: skip
def test_data_that_does_not_fit(batch: Any, message: str, tmp_path: Path) -> None:
    text = refusal(
        niwaki.prune, network(), [batch], scheme="filter", rate=2, method="gradual", epochs=1,
        progress=False,
    )  # fmt: skip
    assert text.startswith(message)


def test_what_stays_dense_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    niwaki.prune(network(), scheme="filter", rate=2, method="magnitude")
    told = "stays dense: 0 (first of the network), 10 (last of the network)\n"
    assert capsys.readouterr().err == told
    niwaki.prune(network(), scheme="filter", rate=2, method="magnitude", progress=False)
    assert capsys.readouterr().err == ""
