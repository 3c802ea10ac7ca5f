"""Small ONNX models, made node by node, and many of them in one: a compilation tests dozens.

check([Case("relu", [node("Relu", "x")], {"x": normal(2, 3)})], opset=17, folder=tmp_path)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numeric.cases import TOLERANCE, Array, difference
from onnx import helper

import niwaki

Arrays = dict[str, Array]


@dataclass(frozen=True)
class Case:
    """A few nodes; the last one's first output is the result.

    Attributes:
        name: what a failure is called.
        nodes: read `inputs` and `constants` by name.
        oldest, newest: opsets in which the nodes are valid.
        tolerance: of the largest value of the result.
    """

    name: str
    nodes: Sequence[onnx.NodeProto]
    inputs: Arrays
    constants: Arrays = field(default_factory=dict)
    oldest: int = 11
    newest: int = 28
    tolerance: float = TOLERANCE


def node(op: str, *inputs: str, to: str | Sequence[str] = "y", **attributes: Any) -> onnx.NodeProto:
    """A node that computes `to`, without a name."""
    outputs = [to] if isinstance(to, str) else list(to)
    return helper.make_node(op, list(inputs), outputs, **attributes)


def normal(*shape: int, seed: int = 0) -> Array:
    """Random float32 values, other ones for other shapes."""
    generator = np.random.default_rng([seed, *shape])
    return generator.standard_normal(shape).astype(np.float32)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Arrays,
    constants: Arrays | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
) -> onnx.ModelProto:
    """A model of static shapes; ONNX itself finds the types of its outputs."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(name, *_type(value)) for name, value in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8 if opset < 19 else 10
    return made


def _type(value: Array) -> tuple[int, tuple[int, ...]]:
    return helper.np_dtype_to_tensor_dtype(value.dtype), value.shape


def save(made: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(made.SerializeToString())
    return path


def check(cases: Sequence[Case], opset: int, folder: Path, target: str = "host") -> None:
    """Compile the cases that are valid in `opset`, compare with ONNX Runtime for two inputs."""
    cases = [case for case in cases if case.oldest <= opset <= case.newest]
    made = joined(cases, opset)
    path = save(made, folder / "cases.onnx")
    network = niwaki.compile(path, target=target, output=folder / "cases.niwaki").load()
    references = []
    for change in (lambda value: value, another):
        inputs = {
            f"{number}.{name}": change(value)
            for number, case in enumerate(cases)
            for name, value in case.inputs.items()
        }
        references.append(reference(made, inputs))
        found = network(*inputs.values())
        problems = [
            f"{case.name}: {problem}"
            for case, output, expected in zip(cases, listed(found), references[-1], strict=True)
            if (problem := difference(output, expected, case.tolerance))
        ]
        assert not problems, "\n" + "\n".join(problems)
    pairs = zip(cases, *references, strict=True)
    idle = [case.name for case, a, b in pairs if case.inputs and np.array_equal(a, b)]
    assert not idle, f"the input changes nothing in {idle}"


def joined(cases: Sequence[Case], opset: int) -> onnx.ModelProto:
    """The cases side by side, each with a number before the names of its values."""
    nodes: list[onnx.NodeProto] = []
    inputs: Arrays = {}
    constants: Arrays = {}
    outputs = []
    for number, case in enumerate(cases):
        for original in case.nodes:
            copy = onnx.NodeProto()
            copy.CopyFrom(original)
            copy.name = f"{number}.{case.name}.{len(nodes)}"
            copy.input[:] = [name and f"{number}.{name}" for name in original.input]
            copy.output[:] = [name and f"{number}.{name}" for name in original.output]
            nodes.append(copy)
        inputs |= {f"{number}.{name}": value for name, value in case.inputs.items()}
        constants |= {f"{number}.{name}": value for name, value in case.constants.items()}
        outputs.append(nodes[-1].output[0])
    return model(nodes, inputs, constants, outputs, opset)


def another(value: Array) -> Array:
    """Other values of the same kind."""
    flipped = np.flip(value)
    return flipped if value.dtype.kind in "iu" else (flipped * -1.5).astype(value.dtype)


def listed(result: Array | tuple[Array, ...]) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)


def reference(made: onnx.ModelProto, inputs: Arrays) -> list[Array]:
    """ONNX Runtime's results, without its optimisations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, inputs))
