"""`niwaki prune net.onnx`: zeros in the weights of an ONNX file, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_models
import pytest
from click.testing import CliRunner, Result
from onnx import helper, numpy_helper
from onnx_models import node, normal

import niwaki
from niwaki.cli import main
from niwaki.errors import NiwakiError
from niwaki.prune_onnx import prune_onnx
from niwaki.pruning import LayerRule, PruningConfig, parse_scheme

INPUT = normal(2, 4, 9, 9)
NODES = [
    node("Conv", "x", "stem.weight", to="a", kernel_shape=[3, 3]),
    node("Conv", "a", "body.weight", "bias", to="b", group=2, pads=[1, 1, 1, 1]),
    node("Relu", "b", to="c"),
    node("GlobalAveragePool", "c", to="d"),
    node("Flatten", "d", to="e"),
    node("Gemm", "e", "straight.weight", to="f", transB=1),
    node("Gemm", "f", "turned.weight", to="g", alpha=0.5),
    node("MatMul", "g", "product.weight", to="h"),
    node("MatMul", "h", "head.weight", to="y"),
]
CONSTANTS = {
    "stem.weight": normal(16, 4, 3, 3),
    "body.weight": normal(32, 8, 3, 3),
    "bias": normal(32),
    "straight.weight": normal(24, 32),
    "turned.weight": normal(24, 16),
    "product.weight": normal(16, 40),
    "head.weight": normal(40, 10),
}
TURNED = ("turned.weight", "product.weight")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return onnx_models.save(onnx_models.model(NODES, {"x": INPUT}, CONSTANTS), tmp_path / "a.onnx")


def niwaki_prune(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["prune", *map(str, arguments)])


def constants(path: Path) -> dict[str, Any]:
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


def expected(name: str, scheme: str, rate: float) -> Any:
    """The weight pruned by the scheme itself."""
    weight = CONSTANTS[name]
    first = np.ascontiguousarray(weight.T if name in TURNED else weight)
    flat = first.reshape(*first.shape[:2], -1)
    groups = 2 if name == "body.weight" else 1
    found = parse_scheme(scheme)
    mask = found.fit(flat).mask(flat, rate, groups).reshape(first.shape)
    return np.where(mask.T if name in TURNED else mask, weight, 0)


def test_weights_get_zeros_and_the_rest_stays(path: Path) -> None:
    output = path.with_name("pruned.onnx")
    arguments = ("--method", "magnitude", "--scheme", "block_punched", "--rate", 4, "--no-data")
    result = niwaki_prune(path, *arguments, "-o", output)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == ["body", "straight", "turned", "product"]
    assert lines[2].split()[1:] == ["block_punched(8x1)", "576", "2,304", "4.00x"]
    assert lines[-1] == f"wrote {output}"
    found = constants(output)
    for name in ("body", "straight", "turned", "product"):
        wanted = expected(f"{name}.weight", "block_punched", 4)
        assert np.array_equal(found.pop(f"{name}.weight"), wanted)
    assert all(np.array_equal(value, CONSTANTS[name]) for name, value in found.items())
    before, after = onnx.load(path), onnx.load(output)
    for model in (before, after):
        model.graph.ClearField("initializer")
    assert before == after


def test_what_runs_is_the_pruned_network(path: Path) -> None:
    output = path.with_name("pruned.onnx")
    prune_onnx(path, output, PruningConfig("unstructured", 2, include=["*"]))
    pruned = {
        name: expected(name, "unstructured", 2) if name.endswith("weight") else value
        for name, value in CONSTANTS.items()
    }
    by_hand = onnx_models.model(NODES, {"x": INPUT}, pruned)
    (wanted,) = onnx_models.reference(by_hand, {"x": INPUT})
    (found,) = onnx_models.reference(onnx.load(output), {"x": INPUT})
    assert np.array_equal(found, wanted)
    assert not np.allclose(found, onnx_models.reference(onnx.load(path), {"x": INPUT})[0])


def test_the_compiler_finds_the_schemes(path: Path) -> None:
    output = path.with_name("pruned.onnx")
    rules = [LayerRule(["body"], "pattern", 4), LayerRule(["type:Gemm"], "column", 2)]
    reports = prune_onnx(path, output, PruningConfig(layers=rules, include=[]))
    assert [report.name for report in reports] == ["body", "straight", "turned"]
    bundle = niwaki.compile(output, output=path.with_name("a.niwaki"))
    found = {layer.name: layer for layer in bundle.manifest.layers}
    assert "pattern" in found["body"].scheme
    (wanted,) = onnx_models.reference(onnx.load(output), {"x": INPUT})
    np.testing.assert_allclose(bundle.load()(INPUT), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("op", ["GRU", "LSTM"])
def test_recurrent_layers(tmp_path: Path, op: str) -> None:
    gates = {"GRU": 3, "LSTM": 4}[op] * 8
    weights = {"W": normal(2, gates, 6), "R": normal(2, gates, 8)}
    layer = node(op, "x", "W", "R", to="y", hidden_size=8, direction="bidirectional")
    layer.name = "rnn"
    made = onnx_models.model([layer], {"x": normal(5, 1, 6)}, weights)
    config = PruningConfig("unstructured", 4, include=["rnn.R"])
    prune_onnx(onnx_models.save(made, tmp_path / "a.onnx"), tmp_path / "b.onnx", config)
    found = constants(tmp_path / "b.onnx")
    assert np.array_equal(found["W"], weights["W"])
    flat = weights["R"].reshape(-1, 8, 1)
    mask = parse_scheme("unstructured").mask(flat, 4)
    assert np.array_equal(found["R"], np.where(mask, flat, 0).reshape(weights["R"].shape))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_types_stay_what_they_are(tmp_path: Path, dtype: Any) -> None:
    values = normal(8, 8).astype(dtype)
    made = onnx_models.model(
        [node("MatMul", "x", "w")], {"x": normal(2, 8).astype(dtype)}, {"w": values}
    )
    config = PruningConfig("unstructured", 2, include=["*"])
    prune_onnx(onnx_models.save(made, tmp_path / "a.onnx"), tmp_path / "b.onnx", config)
    found = constants(tmp_path / "b.onnx")["w"]
    assert found.dtype == dtype
    assert np.count_nonzero(found) == 32
    assert np.array_equal(found[found != 0], values[found != 0])


def test_constant_nodes_shared_weights_and_external_data(tmp_path: Path) -> None:
    constant = helper.make_node(
        "Constant", [], ["w"], value=numpy_helper.from_array(normal(8, 8), "w")
    )
    nodes = [
        constant,
        node("MatMul", "x", "w", to="a"),
        node("MatMul", "a", "w", to="b"),
        node("MatMul", "b", "big.weight"),
    ]
    made = onnx_models.model(nodes, {"x": normal(2, 8)}, {"big.weight": normal(8, 512)})
    path = tmp_path / "a.onnx"
    onnx.save(made, path, save_as_external_data=True, location="a.data", size_threshold=1024)
    (tmp_path / "other").mkdir()
    output = tmp_path / "other" / "b.onnx"
    reports = prune_onnx(path, output, PruningConfig("unstructured", 4, include=["a", "*"]))
    assert [(report.name, report.rate) for report in reports] == [("a", 4), ("big", 4)]
    model = onnx.load(output, load_external_data=False)
    assert numpy_helper.to_array(model.graph.initializer[0]).astype(bool).sum() == 1024
    assert numpy_helper.to_array(model.graph.node[0].attribute[0].t).astype(bool).sum() == 16
    assert output.parent.joinpath("a.data").exists() is False


def spent(path: Path, positions: dict[str, int]) -> int:
    found = constants(path)
    return sum(count * int((found[f"{n}.weight"] != 0).sum()) for n, count in positions.items())


def test_budgets(path: Path) -> None:
    output = path.with_name("pruned.onnx")
    # Output positions of two images: 7 x 7 of the convolution, 1 of what follows.
    positions = {"body": 49, "straight": 1, "turned": 1, "product": 1}
    arguments = (path, "--scheme", "unstructured", "--rate", 2, "--no-data", "-o", output)
    assert niwaki_prune(*arguments, "--budget", "flops").exit_code == 0
    assert spent(path, positions) / spent(output, positions) == pytest.approx(2, rel=0.01)
    times = path.with_name("times.json")
    times.write_text('{"body": 1, "straight": 1, "turned": 1, "product": 5}')
    assert niwaki_prune(*arguments, "--budget", "latency", "--times", times).exit_code == 0
    assert np.count_nonzero(constants(output)["product.weight"]) < 16 * 40 / 2


def test_flops_of_recurrent_layers_and_batches_without_a_size(tmp_path: Path) -> None:
    layer = node("GRU", "x", "W", "R", to=["", "h"], hidden_size=8)
    layer.name = "rnn"
    nodes = [layer, node("Squeeze", "h", "zero", to="s"), node("MatMul", "s", "w.weight")]
    weights = {"W": normal(1, 24, 6), "R": normal(1, 24, 8), "w.weight": normal(8, 12)}
    made = onnx_models.model(
        nodes, {"x": normal(5, 1, 6)}, {**weights, "zero": np.array([0], np.int64)}
    )
    made.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "batch"
    config = PruningConfig("unstructured", 2, include=["*"], budget="flops")
    prune_onnx(onnx_models.save(made, tmp_path / "a.onnx"), tmp_path / "b.onnx", config)
    found = {
        name: int(np.count_nonzero(value)) for name, value in constants(tmp_path / "b.onnx").items()
    }
    dense = 5 * (24 * 6 + 24 * 8) + 8 * 12
    assert dense / (5 * (found["W"] + found["R"]) + found["w.weight"]) == pytest.approx(2, rel=0.02)


def unknown_shape(made: onnx.ModelProto) -> None:
    for size in made.graph.input[0].type.tensor_type.shape.dim:
        size.Clear()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "{out}"], "{path}: an .onnx file cannot be trained: give --no-data, --method mag"),
        (["--no-data", "--method", "admm", "-o", "{out}"], "{path}: an .onnx file cannot be trai"),
        (["--no-data", "--epochs", "2", "-o", "{out}"], "{path}: an .onnx file cannot be trained"),
        (["--no-data", "-o", "{out}.pt"], "{out}.pt: what becomes of an .onnx file is one too"),
        (["--no-data", "--rate", "0.5", "-o", "{out}"], "a pruning rate is at least 1"),
        (["--no-data", "--scheme", "bonsai", "-o", "{out}"], "unknown pruning scheme 'bonsai'"),
    ],
)
def test_mistakes(path: Path, options: list[str], message: str) -> None:
    out = path.with_name("out.onnx")
    names = {"out": out, "path": path}
    result = niwaki_prune(path, *(option.format(**names) for option in options))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {message.format(**names)}")
    assert result.stderr.count("\n") == 1
    assert [file.name for file in path.parent.iterdir()] == ["a.onnx"]


@pytest.mark.parametrize(
    ("change", "budget", "message"),
    [
        (lambda made: made.graph.ClearField("initializer"), "layer", "^no layer is left to prune"),
        (unknown_shape, "flops", r"^body: the shape of its output is not known, which the budget"),
    ],
)
def test_models_that_do_not_fit(
    path: Path, change: Callable[[onnx.ModelProto], None], budget: str, message: str
) -> None:
    made = onnx.load(path)
    change(made)
    onnx_models.save(made, path)
    with pytest.raises(NiwakiError, match=message):
        prune_onnx(
            path, path.with_name("out.onnx"), PruningConfig("unstructured", 2, budget=budget)
        )
    assert not path.with_name("out.onnx").exists()


def test_damaged_files(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(NiwakiError, match=f"^{path}: is damaged or truncated: export the model"):
        prune_onnx(path, path.with_name("out.onnx"), PruningConfig())


def test_files_that_would_be_too_large(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("niwaki.prune_onnx.MOST_BYTES", 1000)
    output = path.with_name("out.onnx")
    with pytest.raises(NiwakiError, match=f"^cannot write {output}: an ONNX file of one piece has"):
        prune_onnx(path, output, PruningConfig("unstructured", 2))
    assert not output.exists()


def masked_model(path: Path) -> Path:
    """A mask that the exporter did not fold, in front of two layers; its own name is taken once."""
    nodes = [
        node("Mul", "0.weight_mask", "0.weight_orig", to="mul"),
        node("Conv", "x", "mul", to="a", kernel_shape=[3, 3]),
        node("Mul", "up.weight_orig", "up.weight_mask", to="mul_1"),
        node("ConvTranspose", "a", "mul_1", to="b", group=2, strides=[2, 2]),
        node("Conv", "b", "head.weight", to="y"),
    ]
    constants = {
        "0.weight_orig": normal(16, 4, 3, 3),
        "0.weight_mask": (normal(16, 4, 3, 3, seed=1) > 0).astype(np.float32),
        "up.weight_orig": normal(16, 8, 3, 3),
        "up.weight_mask": (normal(16, 8, 3, 3, seed=1) > 0).astype(np.float32),
        "head.weight": normal(3, 16, 1, 1),
    }
    return onnx_models.save(onnx_models.model(nodes, {"x": INPUT}, constants), path)


@pytest.mark.parametrize("budget", ["layer", "flops"])
def test_masked_weights_and_transposed_convolutions(tmp_path: Path, budget: str) -> None:
    path, output = masked_model(tmp_path / "a.onnx"), tmp_path / "b.onnx"
    masked = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    config = PruningConfig("block_punched", 4, include=["*"], exclude=["head"], budget=budget)
    reports = {report.name: report for report in prune_onnx(path, output, config)}
    assert set(reports) == {"0", "up"}
    found = constants(output)
    assert set(found) == {"0.weight", "up.weight", "head.weight"}
    for name in ("0", "up"):
        before = masked[f"{name}.weight_orig"] * masked[f"{name}.weight_mask"]
        after = found[f"{name}.weight"]
        assert set(after[after != 0]) <= set(before[before != 0])
    if budget == "layer":
        # As filters x channels of a group x taps, in blocks of 8 filters.
        up = found["up.weight"].reshape(2, 8, 8, 9).transpose(0, 2, 1, 3).reshape(16, 8, 9)
        weights = (masked["up.weight_orig"] * masked["up.weight_mask"]).reshape(2, 8, 8, 9)
        weights = weights.transpose(0, 2, 1, 3).reshape(16, 8, 9)
        mask = parse_scheme("block_punched").mask(weights, 4, 2)
        np.testing.assert_array_equal(up, np.where(mask, weights, 0))


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


SIZES = {"zero": ints(0), "eight": ints(8), "end": ints(24), "shape": ints(24, 16)}
# How weights [24, 16] come from constants.
COMPUTED: dict[str, tuple[list[onnx.NodeProto], dict[str, Any]]] = {
    "gates in another order": (
        [
            node("Slice", "w", "eight", "end", "zero", to="late"),
            node("Slice", "w", "zero", "eight", "zero", to="early"),
            node("Concat", "late", "early", to="joined", axis=0),
            node("Unsqueeze", "joined", "zero", to="weight"),
        ],
        {"w": normal(24, 16)},
    ),
    "transposed": ([node("Transpose", "w", to="weight")], {"w": normal(16, 24)}),
    "weight norm": (
        [
            node("ReduceL2", "v", "axes", to="norm", keepdims=1),
            node("Div", "v", "norm", to="unit"),
            node("Mul", "g", "unit", to="weight"),
        ],
        {"v": normal(24, 16), "g": normal(24, 1), "axes": ints(1)},
    ),
    "quantised": (
        [node("DequantizeLinear", "q", "scale", to="weight")],
        {"q": (normal(24, 16) * 40).astype(np.int8), "scale": np.float32(0.1)},
    ),
    "numbers in a node": (
        [
            helper.make_node("Constant", [], ["n"], value_floats=normal(24 * 16).tolist()),
            node("Reshape", "n", "shape", to="weight"),
        ],
        {},
    ),
}
GRU = node("GRU", "x", "weight", "R", to="y", hidden_size=8)


@pytest.mark.parametrize("how", COMPUTED)
def test_weights_that_nodes_compute_become_constants(tmp_path: Path, how: str) -> None:
    made, given = COMPUTED[how]
    reader = GRU if "gates" in how else node("Gemm", "x", "weight", to="y", transB=1)
    x = normal(5, 1, 16) if reader.op_type == "GRU" else normal(3, 16)
    rest = {**SIZES, "R": normal(1, 24, 8, seed=1)}
    read = {name for one in [*made, reader] for name in one.input}
    given = given | {name: value for name, value in rest.items() if name in read}
    # What something else reads of it stays.
    others = [node("ReduceSum", made[0].output[0], to="sum", keepdims=0)]
    nodes = [*made, reader, *(others if len(made) > 1 else [])]
    model = onnx_models.model(nodes, {"x": x}, given, ["y"], opset=21)
    path, output = onnx_models.save(model, tmp_path / "a.onnx"), tmp_path / "b.onnx"
    whole = onnx_models.model(made, {}, given, ["weight"], opset=21)
    (dense,) = onnx_models.reference(whole, {})
    prune_onnx(path, output, PruningConfig("unstructured", 4, include=["*"]))
    pruned = onnx.load(output)
    reader = next(one for one in pruned.graph.node if one.op_type == reader.op_type)
    found = constants(output)[reader.input[1]]
    assert np.count_nonzero(found) == 24 * 16 / 4
    np.testing.assert_allclose(found, np.where(found, dense, 0), rtol=1e-6)
    assert np.isfinite(onnx_models.reference(pruned, {"x": x})[0]).all()  # it still runs
    kept = nodes[:1] + nodes[-2:] if len(made) > 1 else nodes[-1:]
    assert [one.op_type for one in pruned.graph.node] == [one.op_type for one in kept]


def test_weights_that_are_no_constants_stay(tmp_path: Path) -> None:
    shaken = helper.make_node("RandomNormal", [], ["noise"], shape=[16, 16])
    nodes = [
        shaken,
        node("Add", "w", "noise", to="shaken"),
        node("MatMul", "x", "shaken", to="a"),
        node("Mul", "w", "x", to="computed"),
        node("MatMul", "a", "computed", to="b"),
        node("MatMul", "b", "w", to="y"),
    ]
    model = onnx_models.model(nodes, {"x": normal(16, 16)}, {"w": normal(16, 16)})
    path, output = onnx_models.save(model, tmp_path / "a.onnx"), tmp_path / "b.onnx"
    assert len(prune_onnx(path, output, PruningConfig("unstructured", 4, include=["*"]))) == 1
    assert onnx.load(output).graph.node == model.graph.node


def test_layers_of_one_module_are_numbered(tmp_path: Path) -> None:
    first = node("GRU", "x", "W", "R", to="a", hidden_size=8)
    second = node("GRU", "s", "V", "Q", to="y", hidden_size=8)
    first.name = second.name = "rnn"
    weights = {"W": normal(1, 24, 8), "R": normal(1, 24, 8)}
    weights |= {"V": normal(1, 24, 8, seed=1), "Q": normal(1, 24, 8, seed=1)}
    nodes = [first, node("Squeeze", "a", "one", to="s"), second]
    model = onnx_models.model(nodes, {"x": normal(5, 1, 8)}, {**weights, "one": ints(1)})
    path = onnx_models.save(model, tmp_path / "a.onnx")
    reports = prune_onnx(path, tmp_path / "b.onnx", PruningConfig("unstructured", 4, include=["*"]))
    assert [report.name for report in reports] == ["rnn.W", "rnn.R", "rnn_1.W", "rnn_1.R"]
