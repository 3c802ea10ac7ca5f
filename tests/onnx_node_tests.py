"""ONNX's own tests of its operators: each model compiled, run, and compared with what it expects.

    python tests/onnx_node_tests.py                     all of them, a quarter of an hour and more
    python tests/onnx_node_tests.py gridsample lstm     those with such names

Each ends as `pass`, as `refused` (by a line whose reason `onnx_refusals` knows), or as a fault:
`wrong`, `untold` (refused for another reason), `internal` (a bug that Niwaki reports), `exception`,
`hang`, `crash`.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx_refusals import reason

SECONDS = 300  # far more than any of these small models takes

# Ops whose results have the sizes that their inputs say: all of them are constants.
_MAKERS = ("BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix", "Range")


class Outcome(NamedTuple):
    name: str
    kind: str
    detail: str = ""


@cache
def node_tests() -> dict[str, Any]:
    """The tests of the operators that ONNX ships, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of casts that overflow on purpose
        from onnx.backend.test.loader import load_model_tests

        return {case.name: case for case in load_model_tests(kind="node")}


def run_all(names: Sequence[str], together: int = 1) -> Iterator[Outcome]:
    """Outcomes of the tests called `names`, in another process, which may crash or hang.

    So many are one model `together`, if that passes; otherwise it is split.
    """
    worker, pending = None, _of_one_opset(names, together)
    while pending:
        group = pending.pop()
        worker = worker or _Worker()
        kind, detail = worker.run(group)
        if kind in ("hang", "crash"):
            worker = None
        if kind != "pass" and len(group) > 1:
            half = len(group) // 2
            pending += [group[half:], group[:half]]
        else:
            yield from (Outcome(name, kind, detail) for name in group)
    if worker:
        worker.stop()


def _of_one_opset(names: Sequence[str], together: int) -> list[Sequence[str]]:
    """At most so many names each, the first ones last; only models of one opset can be joined."""
    by_opset: dict[str, list[str]] = {}
    for name in names:
        by_opset.setdefault(str(node_tests()[name].model.opset_import), []).append(name)
    return [
        group[start : start + together]
        for group in reversed(by_opset.values())
        for start in reversed(range(0, len(group), together))
    ]


class _Worker:
    """A process that runs one group of tests after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def run(self, names: Sequence[str]) -> tuple[str, str]:
        """Kind of outcome of all, and what is known of it."""
        self.connection.send(names)
        try:
            if self.connection.poll(SECONDS):
                kind, detail = self.connection.recv()
                return kind, detail
        except EOFError:
            self.stop()
            return "crash", f"exit code {self.process.exitcode}"
        self.stop()
        return "hang", f"over {SECONDS} s"

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(connection: Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        while True:
            cases = [node_tests()[name] for name in connection.recv()]
            connection.send(_run(cases, Path(folder)))


def _run(cases: Sequence[Any], folder: Path) -> tuple[str, str]:
    """Kind of outcome, and what is known of it."""
    import niwaki
    from niwaki.errors import CompilerBug, NiwakiError

    path = folder / "model.onnx"
    models, arguments, wanted = [], [], []
    for case in cases:
        for data in case.data_sets:
            inputs, expected = (list(map(_array, values)) for values in data)
            model, rest = _with_constants(case.model, inputs)
            models.append(model)
            arguments += rest
            wanted += [(case, value) for value in expected]
    try:
        path.write_bytes(_joined(models).SerializeToString())
        found = niwaki.compile(path, output=folder / "model.niwaki").load()(*arguments)
        results = found if isinstance(found, tuple) else (found,)
        for output, (case, value) in zip(results, wanted, strict=True):
            np.testing.assert_allclose(output, value, case.rtol, _tolerance(case, value))
            assert output.dtype == np.asarray(value).dtype
    except CompilerBug as error:
        return "internal", _line(error)
    except NiwakiError as error:
        message = _line(error).removeprefix(f"{path}: ")
        return ("refused" if reason(message) else "untold"), message
    except AssertionError as error:
        return "wrong", _line(error)
    except Exception as error:
        return "exception", f"{type(error).__name__}: {_line(error)}"
    return "pass", ""


def _joined(models: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """All models side by side in one."""
    if len(models) == 1:
        return models[0]
    whole = onnx.ModelProto()
    for number, model in enumerate(models):
        # Of repeated fields, as nodes, inputs and outputs are, merging makes one behind the other.
        whole.graph.MergeFrom(onnx.compose.add_prefix(model, f"m{number}_").graph)
    whole.opset_import.extend(models[0].opset_import)
    whole.ir_version = max(model.ir_version for model in models)
    return whole


def _tolerance(case: Any, wanted: Any) -> float:
    """Of `case`, or a last digit of the largest value: sums of such may be zero but for that."""
    values = np.asarray(wanted)
    if values.dtype.kind != "f" or not values.size:
        return float(case.atol)
    largest = np.abs(values, where=np.isfinite(values), out=np.zeros_like(values)).max()
    return max(float(case.atol), float(np.finfo(values.dtype).eps * largest))


def _array(value: Any) -> Any:
    """A value of a test, which is a message where numpy lacks its type."""
    is_message = isinstance(value, onnx.TensorProto)
    return onnx.numpy_helper.to_array(value) if is_message else value


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _with_constants(
    model: onnx.ModelProto, inputs: Sequence[Any]
) -> tuple[onnx.ModelProto, list[Any]]:
    """`model`, its sizes and axes constants as in exported files, and the inputs that are left."""
    opset = max((item.version for item in model.opset_import if not item.domain), default=0)
    fixed = {name for node in model.graph.node for name in _known_inputs(node, opset)}
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.input[:]
    rest = []
    for value, array in zip(model.graph.input, inputs, strict=True):
        if value.name in fixed:
            tensor = onnx.numpy_helper.from_array(np.asarray(array), value.name)
            made.graph.initializer.append(tensor)
        else:
            made.graph.input.append(value)
            rest.append(array)
    return made, rest


def _known_inputs(node: onnx.NodeProto, opset: int) -> Iterator[str]:
    from niwaki.frontend.onnx_capabilities import ACCEPTED

    if node.op_type in _MAKERS:
        yield from node.input
    if node.domain or node.op_type not in ACCEPTED or not onnx.defs.has(node.op_type, opset):
        return
    known = {*ACCEPTED[node.op_type].known_when_compiling, "training_mode"}
    formal = onnx.defs.get_schema(node.op_type, opset).inputs
    for name, parameter in zip(node.input, formal, strict=False):
        if parameter.name in known:
            yield name


def main(words: Sequence[str]) -> int:
    names = [name for name in node_tests() if not words or any(word in name for word in words)]
    kinds: Counter[str] = Counter()
    for outcome in run_all(names):
        kinds[outcome.kind] += 1
        if outcome.kind != "pass":
            print(f"{outcome.kind:9} {outcome.name}: {outcome.detail}", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    return int(set(kinds) > {"pass", "refused"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
