"""Each mistake in an ONNX model gives one line that names file, node and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import Arrays, model, node, normal, save
from torch_mlir import ir

from niwaki.errors import NiwakiError
from niwaki.frontend import import_onnx
from niwaki.frontend.input_choices import InputChoices
from niwaki.frontend.onnx_choices import check_words
from niwaki.frontend.onnx_graph import OnnxGraph

IMAGE = {"x": normal(2, 3, 8, 8)}
CONV = [node("Conv", "x", "w")]
WEIGHT = {"w": normal(4, 3, 3, 3)}


def message(path: Path, batch: int | None = None) -> str:
    """What the import of `path` says, without the path that it must begin with."""
    with pytest.raises(NiwakiError) as raised:
        import_onnx(path, ir.Context(), InputChoices(batch))
    text = str(raised.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.onnx"


def refusal(path: Path, nodes: list[onnx.NodeProto], inputs: Arrays = IMAGE, **kwargs: Any) -> str:
    return message(save(model(nodes, inputs, **kwargs), path))


class TestFile:
    def test_missing(self, path: Path) -> None:
        assert message(path) == "cannot be read: No such file or directory"

    def test_folder(self, path: Path) -> None:
        path.mkdir()
        assert message(path) == "cannot be read: Is a directory"

    def test_text_that_is_none(self, path: Path) -> None:
        made = model([helper.make_node("Relu", ["x"], ["y"], name="ABCD")], IMAGE)
        path.write_bytes(made.SerializeToString().replace(b"ABCD", b"AB\xccD"))
        assert message(path) == "is damaged, as text in it is no UTF-8: export the model again"

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a model", b"import torch\n"])
    def test_not_onnx(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        assert message(path).startswith("is not an ONNX file")

    @pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
    def test_truncated(self, path: Path, share: float) -> None:
        whole = save(model(CONV, IMAGE, WEIGHT), path).read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        assert "truncated: export the model again" in message(path)

    def test_a_weight_that_is_too_short(self, path: Path) -> None:
        made = model(CONV, IMAGE, WEIGHT)
        made.graph.initializer[0].raw_data = made.graph.initializer[0].raw_data[:-4]
        assert message(save(made, path)) == (
            "constant 'w' has 428 bytes, not 432: the file is damaged"
        )

    def test_a_constant_of_too_few_values(self, path: Path) -> None:
        made = model([node("Reshape", "x", "s")], IMAGE)
        tensor = onnx.TensorProto(name="s", data_type=TensorProto.INT64, dims=[2], int64_data=[4])
        made.graph.initializer.append(tensor)
        assert message(save(made, path)) == (
            "constant 's' has another number of values than [2] needs: the file is damaged"
        )

    def test_what_is_not_there(self, path: Path) -> None:
        assert refusal(path, [node("Add", "x", "z")]) == (
            "the node that computes 'y' reads 'z', which nothing computes before: the file is "
            "damaged"
        )
        made = model([node("Relu", "x")], IMAGE, outputs=["z"])
        assert message(save(made, path)) == (
            "the model reads 'z', which nothing computes before: the file is damaged"
        )

    @pytest.mark.parametrize(
        ("op", "name"),
        [("Conv", "auto_pad"), ("DepthToSpace", "mode"), ("Gelu", "approximate")],
    )
    def test_words_that_there_are_not(self, path: Path, op: str, name: str) -> None:
        made = helper.make_node(op, ["x"], ["y"], **{name: "any"})
        graph = OnnxGraph(path, 21, [], [], [], {})
        with pytest.raises(NiwakiError, match=f"its attribute '{name}' is 'any', not one of "):
            check_words(graph, made)
        check_words(graph, helper.make_node("Pad", ["x"], ["y"], mode="wrap"))

    def test_negative_sizes(self, path: Path) -> None:
        constants = {"p": np.array([0, 0, -5, 0, 0, 0, -5, 0])}
        assert refusal(path, [node("Pad", "x", "p")], constants=constants).endswith(
            "its result 'y' would have sizes of [2, 3, -2, 8]"
        )

    def test_a_parameter_that_is_no_list(self, path: Path) -> None:
        constants = {"s": np.array([[2], [192]])}
        assert refusal(path, [node("Reshape", "x", "s")], constants=constants).endswith(
            "its parameter 's' has 2 dimensions: make it a list"
        )


class TestExternalData:
    def save(self, path: Path, **entries: str) -> Path:
        """A model whose weight lies in w.bin, unless `entries` say otherwise."""
        made = model(CONV, IMAGE, WEIGHT)
        tensor = made.graph.initializer[0]
        path.with_name("w.bin").write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": "w.bin", **entries}.items():
            tensor.external_data.add(key=key, value=value)
        return save(made, path)

    def test_missing(self, path: Path) -> None:
        assert message(self.save(path, location="v.bin")) == (
            "constant 'w' lies in 'v.bin', which cannot be read (No such file or directory): "
            f"external data must be in {path.parent}"
        )

    @pytest.mark.parametrize("location", ["../w.bin", "a/../../w.bin", "/etc/hostname", "link"])
    def test_outside(self, path: Path, location: str) -> None:
        path.with_name("link").symlink_to("/etc/hostname")
        assert message(self.save(path, location=location)) == (
            f"constant 'w' lies in '{location}', outside of the model's folder: put the file "
            "beside the model, and save the model with that name"
        )

    def test_truncated(self, path: Path) -> None:
        assert message(self.save(path, offset="64")) == (
            "constant 'w' ends at byte 496 of 'w.bin', which has 432: the file is truncated"
        )

    def test_another_length(self, path: Path) -> None:
        assert message(self.save(path, length="400")) == (
            "constant 'w' has 400 bytes at 0, not 432: it is damaged"
        )

    def test_no_number(self, path: Path) -> None:
        assert message(self.save(path, offset="many")) == (
            "constant 'w' has a bad offset or length: the file is damaged"
        )


class TestSizes:
    def save(self, path: Path, *dims: int | str | None) -> Path:
        made = model([node("Relu", "x")], {"x": normal(*[1] * len(dims))})
        made.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", 1, dims))
        return save(made, path)

    @pytest.mark.parametrize(
        ("size", "called", "advice"),
        [("height", " ('height')", "<height>"), (None, "", "<size>"), (-1, "", "<size>")],
    )
    def test_dynamic(self, path: Path, size: str | None, called: str, advice: str) -> None:
        assert message(self.save(path, "batch", 3, size, 8)) == (
            f"input 'x': the size of dimension 2{called} is dynamic: give its sizes by "
            f"--shape 'x=1x3x{advice}x8' (shapes=... in Python)"
        )

    def test_no_shape(self, path: Path) -> None:
        made = model([node("Relu", "x")], IMAGE)
        made.graph.input[0].type.tensor_type.ClearField("shape")
        assert message(save(made, path)) == (
            "input 'x' has no shape: give it by --shape x=SIZExSIZE"
        )

    def test_fixed_batch(self, path: Path) -> None:
        assert message(self.save(path, 2, 3), batch=4) == (
            "the batch is fixed: export the model for 4 inputs, or with a symbolic first dimension "
            "(dynamic_axes or dynamic_shapes when exporting)"
        )

    def test_batch_of_nothing(self, path: Path) -> None:
        with pytest.raises(NiwakiError, match="a batch has at least 1 input, not 0"):
            import_onnx(self.save(path, "n", 3), ir.Context(), InputChoices(0))

    def test_batch_in_a_reshape(self, path: Path) -> None:
        constants = {"s": np.array([1, 12])}
        made = model([node("Reshape", "x", "s")], {"x": normal(1, 3, 4)}, constants)
        made.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
        assert message(save(made, path), batch=2) == (
            "the node that computes 'y': op 'Reshape' (opset 17) makes [1, 12] of [2, 3, 4], which "
            "has another number of elements: the model may be exported for a fixed batch"
        )

    def test_sizes_that_depend_on_the_data(self, path: Path) -> None:
        assert refusal(path, [node("NonZero", "x")]) == (
            "the node that computes 'y': op 'NonZero' (opset 17) returns as many values as the "
            "data says: use ops of fixed sizes, such as Where"
        )

    def test_shapes_that_do_not_fit(self, path: Path) -> None:
        text = refusal(path, [node("Add", "x", "z")], {**IMAGE, "z": normal(5)})
        assert text.startswith(
            "the node that computes 'y': op 'Add' (opset 17) does not fit its inputs: "
        )

    @pytest.mark.parametrize("places", [[0, 8], [-9, 0]])
    def test_places_that_a_dimension_has_not(self, path: Path, places: list[int]) -> None:
        """As of positions, where the input has more words than there are of them."""
        text = refusal(path, [node("Gather", "x", "i", axis=2)], constants={"i": np.array(places)})
        assert text.endswith(
            f"takes place {places[places[1] > 0]} of 8: give its inputs other sizes, for which the "
            "model has so many"
        )

    def test_places_from_the_end(self, path: Path) -> None:
        gather = [node("Gather", "x", "i", axis=2)]
        save(model(gather, IMAGE, constants={"i": np.array([-8, 7])}), path)
        import_onnx(path, ir.Context())


class TestOps:
    @pytest.mark.parametrize("opset", [6, 29])
    def test_opset(self, path: Path, opset: int) -> None:
        assert refusal(path, [node("Relu", "x")], opset=opset) == (
            f"is of opset {opset}, and opsets 7 to 28 are supported: export it with "
            "opset_version=17, or convert it by onnx.version_converter"
        )

    def test_unknown(self, path: Path) -> None:
        made = helper.make_node("Blur", ["x"], ["y"], "/stem/blur")
        assert refusal(path, [made]) == (
            "node '/stem/blur': op 'Blur' (opset 17) is not in ONNX: use ops of that opset"
        )

    def test_of_a_later_opset(self, path: Path) -> None:
        nodes = [node("Swish", "x", to="s"), node("Relu", "s")]
        made = model(nodes, IMAGE, opset=24)
        made.opset_import[0].version = 18
        assert message(save(made, path)) == (
            "the node that computes 's': op 'Swish' (opset 18) came with opset 24, but the file "
            "says 18: export it with opset_version=24, or with 20"
        )

    def test_foreign(self, path: Path) -> None:
        made = helper.make_node("Gelu", ["x"], ["y"], "act", domain="com.microsoft")
        assert refusal(path, [made]) == (
            "node 'act': op 'Gelu' (opset 17) is of domain 'com.microsoft', not one of ONNX's own: "
            "export the model without it"
        )

    def test_that_torch_mlir_lacks(self, path: Path) -> None:
        made = helper.make_node("Shrink", ["x"], ["y"], "act")
        assert refusal(path, [made], {"x": np.zeros((3, 3), np.int64)}) == (
            "node 'act': torch-mlir cannot lower op 'Shrink' (opset 17) with these arguments: "
            "write it with other ops"
        )

    @pytest.mark.parametrize(
        ("made", "shape", "told"),
        [
            (node("DFT", "x", "", "one"), (2, 8, 3), "is not over complex numbers: put both"),
            (node("DFT", "x", "many", "one"), (1, 8, 1), "is too long: at most 2048 numbers"),
            (node("DFT", "x", "", "one"), (1, 3000, 1), "is too long: at most 2048 numbers"),
            (node("STFT", "x", "one", "", "many"), (1, 9, 1), "would have sizes of [1, -4990,"),
            (node("STFT", "x", "one", "", "two"), (1, 9), "last dimension of 1 or 2: unsqueeze it"),
            (node("Col2Im", "x", "image", "pair"), (1, 4, 3), "has other columns than"),
        ],
    )
    def test_transforms(
        self, made: onnx.NodeProto, shape: tuple[int, ...], told: str, path: Path
    ) -> None:
        numbers = {"one": 1, "two": 2, "many": 5000}
        constants: Arrays = {name: np.array(value) for name, value in numbers.items()}
        constants |= {"image": np.array([4, 4]), "pair": np.array([2, 2])}
        text = refusal(path, [made], {"x": normal(*shape)}, constants=constants, opset=20)
        assert text.startswith(f"the node that computes 'y': op {made.op_type!r} (opset 20)")
        assert told in text

    def test_grids_of_other_types(self, path: Path) -> None:
        inputs = {"x": np.zeros((1, 1, 3, 3), np.int64), "g": normal(1, 2, 2, 2)}
        assert refusal(path, [node("GridSample", "x", "g")], inputs) == (
            "the node that computes 'y': op 'GridSample' (opset 17) samples int64: cast its input "
            "to float32"
        )

    def test_that_are_not_in_the_table(self, path: Path) -> None:
        assert refusal(path, [node("MaxUnpool", "x", "x", kernel_shape=[2, 2])]) == (
            "the node that computes 'y': op 'MaxUnpool' (opset 17) is not supported: write it with "
            "other ops"
        )

    def test_options_that_are_not_in_the_table(self, path: Path) -> None:
        assert refusal(path, [node("Relu", "x", slope=0.1)]) == (
            "the node that computes 'y': op 'Relu' (opset 17): its attribute 'slope' is not "
            "supported: export the model without it"
        )

    def test_sizes_that_are_computed(self, path: Path) -> None:
        inputs = {**IMAGE, "s": np.array([-1])}
        assert refusal(path, [node("Reshape", "x", "s")], inputs) == (
            "the node that computes 'y': op 'Reshape' (opset 17): its input 'shape' is computed "
            "when the network runs, and decides a size or an axis: make it a constant"
        )

    def test_large_determinants(self, path: Path) -> None:
        assert refusal(path, [node("Det", "x")], {"x": normal(2, 5, 5)}) == (
            "the node that computes 'y': op 'Det' (opset 17) is of 5x5 matrices: at most 4x4 are "
            "supported"
        )

    def test_cubic_samples_of_a_volume(self, path: Path) -> None:
        inputs = {"x": normal(1, 1, 2, 3, 4), "g": normal(1, 2, 2, 2, 3)}
        assert refusal(path, [node("GridSample", "x", "g", mode="cubic")], inputs, opset=20) == (
            "the node that computes 'y': op 'GridSample' (opset 20) has mode 'cubic' in other than "
            "two dimensions: use mode 'linear'"
        )

    @pytest.mark.parametrize(
        ("scales", "options", "message"),
        [
            ([1, 1, 1.2, 1.2], {}, "has scales that change no size: give sizes"),
            (
                [1, 1, 2, 0.6],
                {"coordinate_transformation_mode": "align_corners"},
                "has 'align_corners' and a scale that gives no whole size: give sizes",
            ),
            (
                [1, 1, 2, 1],
                {"coordinate_transformation_mode": "tf_crop_and_resize", "mode": "linear"},
                "crops by 'tf_crop_and_resize' in a way that runtimes read differently: crop by "
                "Slice",
            ),
        ],
    )
    def test_resizing(
        self, path: Path, scales: list[float], options: dict[str, Any], message: str
    ) -> None:
        constants = {
            "r": np.array([0, 0, 0.1, 0.1, 1, 1, 0.8, 0.8], np.float32),
            "s": np.array(scales, np.float32),
        }
        made = node("Resize", "x", "r", "s", **options)
        assert refusal(path, [made], {"x": normal(1, 1, 4, 4)}, constants=constants) == (
            f"the node that computes 'y': op 'Resize' (opset 17) {message}"
        )

    def test_resizing_of_integers(self, path: Path) -> None:
        constants = {"s": np.array([1, 1, 8, 8])}
        inputs = {"x": np.ones((1, 1, 4, 4), np.int32)}
        made = node("Resize", "x", "", "", "s", mode="linear")
        assert refusal(path, [made], inputs, constants=constants) == (
            "the node that computes 'y': op 'Resize' (opset 17) has mode 'linear' and integers: "
            "cast its input to float32"
        )

    def test_integers_to_powers_that_are_floats(self, path: Path) -> None:
        inputs = {"x": np.arange(4), "z": normal(4)}
        assert refusal(path, [node("Pow", "x", "z")], inputs) == (
            "the node that computes 'y': op 'Pow' (opset 17) raises integers to powers that are "
            "floats: cast the integers"
        )

    def test_resizing_to_nothing(self, path: Path) -> None:
        assert "(opset 17) does not fit its inputs: " in refusal(path, [node("Resize", "x")])

    def test_dilated_pooling_with_automatic_padding(self, path: Path) -> None:
        made = node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2], auto_pad="SAME_UPPER")
        assert refusal(path, [made]) == (
            "the node that computes 'y': op 'MaxPool' (opset 17) has auto_pad and dilations, which "
            "runtimes read in two ways: give pads"
        )

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["Tanh", "Relu"], "has 2 activations, not 1: give as many"),
            (["Step"], "has activation 'Step', which ONNX does not name: use another"),
            *(
                ([name], f"has activation {name!r} without its factors: give alpha and beta")
                for name in ("Affine", "ScaledTanh")
            ),
        ],
    )
    def test_activations(self, path: Path, names: list[str], message: str) -> None:
        inputs = {"x": normal(2, 1, 3), "w": normal(1, 4, 3), "r": normal(1, 4, 4)}
        made = node("RNN", "x", "w", "r", hidden_size=4, activations=names)
        assert refusal(path, [made], inputs) == (
            f"the node that computes 'y': op 'RNN' (opset 17) {message}"
        )

    @pytest.mark.parametrize(
        ("options", "constants", "message"),
        [
            ({"clip": -1.0}, {}, "has clip -1: give a bound of at least 0"),
            ({"clip": float("nan")}, {}, "has clip nan: give a bound of at least 0"),
            (
                {"hidden_size": 5},
                {"r": np.float32(1)},
                "has weights of 0 units and hidden_size 5: make both the same, at least 1",
            ),
            (
                {"hidden_size": 5},
                {},
                "has weights of 4 units and hidden_size 5: make both the same, at least 1",
            ),
            (
                {},
                {"b": normal(1, 12)},
                "has 'b' of shape [1, 12]: a layer of 4 units needs [1, 24]",
            ),
            (
                {},
                {"b": normal(1, 24), "n": np.array([2, 3], np.int32)},
                "has sequence_lens [2, 3] for inputs of 2 steps: give lengths from 0 to that",
            ),
            (
                {},
                {"b": normal(1, 24), "n": np.array([-1, 2], np.int32)},
                "has sequence_lens [-1, 2] for inputs of 2 steps: give lengths from 0 to that",
            ),
        ],
    )
    def test_recurrent_layers_that_cannot_be(
        self, path: Path, options: dict[str, Any], constants: Arrays, message: str
    ) -> None:
        inputs = {"x": normal(2, 2, 3)}
        weights = {"w": normal(1, 12, 3), "r": normal(1, 12, 4), **constants}
        made = node("GRU", "x", *weights, **{"hidden_size": 4, **options})
        assert refusal(path, [made], inputs, constants=weights) == (
            f"the node that computes 'y': op 'GRU' (opset 17) {message}"
        )

    def test_indices_of_windows_in_the_padding(self, path: Path) -> None:
        options = {"kernel_shape": [1, 1], "pads": [1, 0, 0, 0]}
        nodes = [node("MaxPool", "x", to=("v", "i"), **options), node("Neg", "i")]
        assert refusal(path, nodes) == (
            "the node that computes 'v': op 'MaxPool' (opset 17) returns indices of windows in the "
            "padding: use less padding"
        )

    def test_loop(self, path: Path) -> None:
        made = helper.make_node("Loop", ["x"], ["y"], "again", body=onnx.GraphProto(name="body"))
        assert refusal(path, [made]) == (
            "node 'again': op 'Loop' (opset 17) has a body for other values: the file is damaged"
        )

    def test_random(self, path: Path) -> None:
        nodes = [node("RandomNormalLike", "x", to="r"), node("Add", "x", "r")]
        assert refusal(path, nodes) == (
            "the node that computes 'r': op 'RandomNormalLike' (opset 17) draws random numbers: "
            "make the random tensor an input"
        )

    def test_batch_norm_in_training(self, path: Path) -> None:
        channel = {name: np.abs(normal(3)) for name in "abcd"}
        made = node("BatchNormalization", "x", "a", "b", "c", "d", training_mode=1)
        made.output.extend(["m", "v"])
        assert refusal(path, [made], constants=channel) == (
            "the node that computes 'y' is a BatchNormalization in training mode: call "
            "model.eval() before exporting the model"
        )

    def test_dropout_in_training(self, path: Path) -> None:
        constants = {"r": np.array(0.5, np.float32), "t": np.array(True)}
        assert refusal(path, [node("Dropout", "x", "r", "t")], constants=constants) == (
            "the node that computes 'y' is a Dropout in training mode: call model.eval() before "
            "exporting the model"
        )


class TestTypes:
    def test_input(self, path: Path) -> None:
        text = refusal(path, [node("Relu", "x")], {"x": normal(3).astype(np.complex64)})
        assert text == (
            "input 'x' is complex64, which is not supported: export the model in float32"
        )

    def test_integers(self, path: Path) -> None:
        few = np.zeros(3, helper.tensor_dtype_to_np_dtype(TensorProto.UINT4))
        text = refusal(path, [node("Identity", "x")], {"x": few}, opset=21)
        assert text.startswith("input 'x' is uint4, which is not supported: use one of float32, ")

    def test_remainders_of_float64(self, path: Path) -> None:
        inputs = {"x": normal(3).astype(np.float64), "z": np.array([2.0])}
        save(model([node("Mod", "x", "z", fmod=1)], inputs), path)
        with pytest.raises(NiwakiError, match="remf of float64 is not supported: compute it in"):
            import_onnx(path, ir.Context())

    def test_computed(self, path: Path) -> None:
        made = node("Cast", "x")
        made.attribute.add(name="to", type=2, i=TensorProto.BFLOAT16)
        assert refusal(path, [made]) == (
            "the node that computes 'y': op 'Cast' (opset 17): 'y' is bfloat16, which is "
            "not supported: export the model in float32"
        )

    def test_weights(self, path: Path) -> None:
        made = model(CONV, IMAGE, WEIGHT)
        made.graph.initializer[0].data_type = TensorProto.COMPLEX64
        assert message(save(made, path)) == (
            "constant 'w' is complex64, which is not supported: export the model in float32"
        )

    def test_short_weights_that_the_network_does_not_widen(self, path: Path) -> None:
        short = normal(8).astype(onnx.helper.tensor_dtype_to_np_dtype(TensorProto.BFLOAT16))
        nodes = [node("Cast", "x", to="c"), node("Add", "c", "w", to="s"), node("Cast", "s")]
        for made, element in ((nodes[0], TensorProto.BFLOAT16), (nodes[2], TensorProto.FLOAT)):
            made.attribute.add(name="to", type=onnx.AttributeProto.INT, i=element)
        assert refusal(path, nodes, constants={"w": short}) == (
            "the node that computes 'c': op 'Cast' (opset 17): 'c' is bfloat16, which is not "
            "supported: export the model in float32"
        )

    @pytest.mark.parametrize("element", [TensorProto.INT4, TensorProto.UINT4])
    def test_packed_weights_that_are_too_short(self, path: Path, element: int) -> None:
        made = model(CONV, IMAGE, WEIGHT)
        made.graph.initializer[0].data_type = element
        assert message(save(made, path)) == (
            "constant 'w' has 432 bytes, not 54: the file is damaged"
        )

    def test_a_negative_size(self, path: Path) -> None:
        made = model(CONV, IMAGE, WEIGHT)
        made.graph.initializer[0].dims[:] = [4, -3, 3, 3]
        assert message(save(made, path)) == (
            "constant 'w' has a negative size: the file is damaged"
        )

    def test_quantised(self, path: Path) -> None:
        constants = {"s": np.array(0.1, np.float32), "z": np.array(0, np.uint8)}
        text = refusal(path, [node("QuantizeLinear", "x", "s", "z")], constants=constants)
        assert text == (
            "the node that computes 'y': op 'QuantizeLinear' (opset 17) is quantised, which is not "
            "supported: export the model in float32, before quantising it"
        )

    def test_input_that_is_no_tensor(self, path: Path) -> None:
        made = model([node("SequenceAt", "x", "i")], IMAGE, {"i": np.array(0)})
        sequence = helper.make_tensor_sequence_value_info("x", 1, [3])
        made.graph.input[0].CopyFrom(sequence)
        assert message(save(made, path)) == "input 'x' is no tensor: make it one"
