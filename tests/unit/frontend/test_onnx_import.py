"""What the import of an ONNX file keeps: layer names, weights, signature, and what it computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import Arrays, model, node, normal, save
from torch_mlir import ir
from torch_mlir.dialects import arith

from niwaki.frontend import import_onnx
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_import import prepare_graph
from niwaki.frontend.onnx_weights import read_tensor

IMAGE = {"x": normal(2, 3, 8, 8)}
KERNEL = normal(4, 3, 3, 3)


def prepared(path: Path, made: onnx.ModelProto, batch: int | None = None) -> OnnxGraph:
    return prepare_graph(save(made, path / "net.onnx"), InputChoices(batch))


def conv(name: str = "", weight: str = "w", **metadata: str) -> onnx.NodeProto:
    made = helper.make_node("Conv", ["x", weight], ["y"], name)
    for key, value in metadata.items():
        made.metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    return made


class TestNames:
    def name(self, path: Path, made: onnx.NodeProto) -> str:
        weights = {made.input[1]: KERNEL}
        (name,) = prepared(path, model([made], IMAGE, weights)).names.values()
        return name

    def test_weight(self, tmp_path: Path) -> None:
        assert self.name(tmp_path, conv("node_Conv_5", "layer1.0.conv1.weight")) == "layer1.0.conv1"

    def test_metadata_of_torch_export(self, tmp_path: Path) -> None:
        made = conv(
            "node_Conv_5",
            name_scopes="['', 'layer1', 'layer1.0.conv1', 'conv2d']",
            class_hierarchy="['Net', 'torch.nn.modules.container.Sequential', "
            "'torch.nn.modules.conv.Conv2d', 'aten.conv2d.default']",
        )
        assert self.name(tmp_path, made) == "layer1.0.conv1"

    def test_function_in_a_module(self, tmp_path: Path) -> None:
        made = conv(
            name_scopes="['', 'block', 'conv2d_1']",
            class_hierarchy="['Net', 'net.Block', 'aten.conv2d.default']",
        )
        assert self.name(tmp_path, made) == "block.conv2d"

    @pytest.mark.parametrize(
        ("node_name", "layer"),
        [
            ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
            ("/features/features.0/features.0.0/Conv", "features.0.0"),
            ("/Conv_1", "Conv_1"),
            ("stem", "stem"),
            ("", "y"),
        ],
    )
    def test_node(self, tmp_path: Path, node_name: str, layer: str) -> None:
        assert self.name(tmp_path, conv(node_name)) == layer

    def test_op_is_named_where_a_module_has_several(self, tmp_path: Path) -> None:
        nodes = [
            helper.make_node(op, [x], [y], name)
            for op, x, y, name in (
                ("MaxPool", "x", "a", "/stem/pool/MaxPool"),
                ("Relu", "a", "b", "/stem/Relu"),
                ("Abs", "b", "y", "/stem/Abs"),
            )
        ]
        nodes[0].attribute.append(helper.make_attribute("kernel_shape", [2, 2]))
        names = prepared(tmp_path, model(nodes, IMAGE)).names
        assert list(names.values()) == ["stem.pool", "stem.Relu", "stem.Abs"]

    def test_folded_batch_norm_keeps_the_layers_name(self, tmp_path: Path) -> None:
        channel = {name: np.abs(normal(4)) for name in "abcd"}
        nodes = [
            helper.make_node("Conv", ["x", "conv.weight"], ["t"]),
            helper.make_node("BatchNormalization", ["t", *"abcd"], ["y"], "/bn/BatchNormalization"),
        ]
        graph = prepared(tmp_path, model(nodes, IMAGE, {"conv.weight": KERNEL, **channel}))
        assert [graph.names[made.output[0]] for made in graph.nodes] == ["conv"]

    def test_they_are_the_locations(self, tmp_path: Path) -> None:
        path = save(model([conv("stem")], IMAGE, {"w": KERNEL}), tmp_path / "net.onnx")
        with ir.Context() as context:
            text = import_onnx(path, context).module.operation.get_asm(enable_debug_info=True)
        assert 'loc("stem")' in text


class TestWeights:
    @pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int64", "int8", "bool"])
    def test_raw(self, tmp_path: Path, dtype: str) -> None:
        array = (10 * normal(3, 5)).astype(dtype)
        read = read_tensor(onnx.numpy_helper.from_array(array), tmp_path, "w")
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)

    @pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int64", "int32", "uint8"])
    @pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (130, 140)])
    def test_in_fields(self, tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
        array = np.abs(10 * normal(*shape)).astype(dtype)
        element = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = helper.make_tensor("w", element, shape, array.reshape(-1))
        assert not tensor.HasField("raw_data")
        read = read_tensor(tensor, tmp_path, "w")
        assert (read.dtype, read.shape) == (array.dtype, shape)
        np.testing.assert_array_equal(read, array)

    def test_in_another_file(self, tmp_path: Path) -> None:
        tensor = onnx.TensorProto(data_type=TensorProto.FLOAT, dims=KERNEL.shape)
        tensor.data_location = TensorProto.EXTERNAL
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights/w.bin").write_bytes(bytes(64) + KERNEL.tobytes())
        for key, value in {"location": "weights/w.bin", "offset": "64"}.items():
            tensor.external_data.add(key=key, value=value)
        read = read_tensor(tensor, tmp_path / "net.onnx", "w")
        assert isinstance(read, np.memmap)
        np.testing.assert_array_equal(read, KERNEL)

    def test_reach_the_module_as_constants(self, tmp_path: Path) -> None:
        path = save(model([conv()], IMAGE, {"w": KERNEL}), tmp_path / "net.onnx")
        with ir.Context() as context:
            module = import_onnx(path, context).module
            values = [
                np.asarray(ir.DenseElementsAttr(op.attributes["value"]))
                for op in ir.get_ops_of_type(module.operation, arith.ConstantOp)
                if isinstance(op.attributes["value"], ir.DenseElementsAttr)
            ]
        assert any(np.array_equal(value, KERNEL) for value in values)


@pytest.mark.parametrize("factor", [2, 1.5])
def test_nearest_resizing_only_moves_pixels(factor: float, tmp_path: Path) -> None:
    """By an op that a copy into the next layer's layout takes in, whatever the factor."""
    options = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    scales = np.array([1, 1, factor, factor], np.float32)
    made = model([node("Resize", "x", "", "s", **options)], IMAGE, {"s": scales})
    kinds = {part.op_type for part in prepared(tmp_path, made).nodes}
    assert kinds == {"niwaki.take", "Identity"}


class TestSignature:
    def test_names_types_and_nesting(self, tmp_path: Path) -> None:
        inputs = {"left": normal(2, 3), "right": np.zeros((2, 3), np.int64)}
        nodes = [node("Relu", "left", to="up"), node("Neg", "right", to="down")]
        made = model(nodes, inputs, outputs=("up", "down"))
        with ir.Context() as context:
            signature = import_onnx(save(made, tmp_path / "n.onnx"), context).signature
        assert list(map(str, signature.inputs)) == ["left: 2x3xfloat32", "right: 2x3xint64"]
        assert list(map(str, signature.outputs)) == ["up: 2x3xfloat32", "down: 2x3xint64"]
        assert signature.input_tree == {"tuple": [{"tuple": [0, 1]}, {"dict": {}}]}
        assert signature.output_tree == {"tuple": [0, 1]}

    def test_initializers_are_no_inputs(self, tmp_path: Path) -> None:
        made = model([conv()], {**IMAGE, "w": KERNEL}, {"w": KERNEL})
        assert [value.name for value in prepared(tmp_path, made).inputs] == ["x"]

    @pytest.mark.parametrize(("batch", "size"), [(None, 1), (1, 1), (5, 5)])
    def test_symbolic_batch(self, tmp_path: Path, batch: int | None, size: int) -> None:
        made = model([node("Add", "x", "z")], {"x": normal(1, 3), "z": normal(1, 3)})
        for value in made.graph.input:
            value.type.tensor_type.shape.dim[0].dim_param = "n"
        graph = prepared(tmp_path, made, batch)
        assert graph.types["x"].shape == graph.types["z"].shape == (size, 3)
        assert graph.type_of("y").shape == (size, 3)

    def test_batch_that_is_fixed_at_what_is_asked_for(self, tmp_path: Path) -> None:
        assert prepared(tmp_path, model([conv()], IMAGE, {"w": KERNEL}), 2).types["x"].shape[0] == 2


class TestFolding:
    def operators(self, path: Path, nodes: list[onnx.NodeProto], constants: Arrays) -> list[str]:
        graph = prepared(path, model(nodes, IMAGE, constants))
        return [made.op_type for made in graph.nodes]

    def test_mask_of_a_weight(self, tmp_path: Path) -> None:
        mask = (KERNEL > 0).astype(np.float32)
        nodes = [node("Mul", "w", "m", to="v"), node("Conv", "x", "v")]
        graph = prepared(tmp_path, model(nodes, IMAGE, {"w": KERNEL, "m": mask}))
        (made,) = graph.nodes
        np.testing.assert_array_equal(graph.constants[made.input[1]], KERNEL * mask)

    def test_quantised_weight(self, tmp_path: Path) -> None:
        constants: Arrays = {
            "q": (100 * KERNEL).astype(np.int8),
            "s": np.array(0.01, np.float32),
        }
        nodes = [node("DequantizeLinear", "q", "s", to="v"), node("Conv", "x", "v")]
        graph = prepared(tmp_path, model(nodes, IMAGE, constants, opset=21))
        assert [made.op_type for made in graph.nodes] == ["Conv"]

    def test_sizes(self, tmp_path: Path) -> None:
        nodes = [
            node("Shape", "x", to="s", end=1),
            node("Concat", "s", "m", to="t", axis=0),
            node("Reshape", "x", "t"),
        ]
        graph = prepared(tmp_path, model(nodes, IMAGE, {"m": np.array([-1])}))
        (made,) = graph.nodes
        assert graph.constants[made.input[1]].tolist() == [2, -1]

    def test_number_of_elements(self, tmp_path: Path) -> None:
        nodes = [node("Size", "x", to="s"), node("Reshape", "x", "t"), node("Reshape", "s", "m")]
        nodes = [nodes[0], node("Reshape", "s", "m", to="t"), node("Reshape", "x", "t")]
        assert self.operators(tmp_path, nodes, {"m": np.array([1])}) == ["Reshape"]

    def test_large_results_stay_code(self, tmp_path: Path) -> None:
        nodes = [
            node("Expand", "c", "s", to="e"),
            node("ReduceMean", "e", to="m"),
            node("Add", "x", "m"),
        ]
        constants: Arrays = {
            "c": np.ones(1, np.float32),
            "s": np.array([2, 3, 512, 512]),
        }
        assert self.operators(tmp_path, nodes, constants) == ["Expand", "ReduceMean", "Add"]

    def test_batch_norm_that_would_overflow_stays(self, tmp_path: Path) -> None:
        channel = {name: np.full(4, 1e30, np.float32) for name in "abcd"}
        channel["d"] = np.full(4, 1e-30, np.float32)
        nodes = [
            node("Conv", "x", "w", to="t"),
            node("BatchNormalization", "t", *"abcd", epsilon=0.0),
        ]
        operators = self.operators(tmp_path, nodes, {"w": KERNEL, **channel})
        assert operators == ["Conv", "Mul", "Add"]

    def test_functions_of_the_file(self, tmp_path: Path) -> None:
        made = model([helper.make_node("Swish", ["x"], ["y"], domain="own")], IMAGE)
        opsets = [helper.make_opsetid("", 17)]
        body = [node("Sigmoid", "a", to="s"), node("Mul", "a", "s", to="b")]
        made.functions.append(helper.make_function("own", "Swish", ["a"], ["b"], body, opsets))
        made.opset_import.append(helper.make_opsetid("own", 1))
        graph = prepared(tmp_path, made)
        assert [item.op_type for item in graph.nodes] == ["Sigmoid", "Mul"]


def test_parameters_that_are_one_number(tmp_path: Path) -> None:
    """Lists of one element, where ONNX wants a list."""
    one = {name: np.array(value) for name, value in (("a", 0), ("b", 1), ("c", 2))}
    nodes = [
        node("Unsqueeze", "x", "a", to="p"),
        node("Slice", "p", "b", "c", "b", "b", to="q"),
        node("ReduceSum", "q", "c", to="r", keepdims=0),
        node("Squeeze", "r", "a"),
    ]
    graph = prepared(tmp_path, model(nodes, IMAGE, one, opset=17))
    assert graph.types["y"].shape == (1, 8, 8)


def test_no_float64_is_left(tmp_path: Path) -> None:
    nodes = [
        node("LeakyRelu", "x", to="a", alpha=0.2),
        node("HardSigmoid", "a", to="b"),
        node("LayerNormalization", "b", "s", to="y"),
    ]
    path = save(model(nodes, IMAGE, {"s": normal(8)}), tmp_path / "net.onnx")
    with ir.Context() as context:
        assert "f64" not in str(import_onnx(path, context).module)
