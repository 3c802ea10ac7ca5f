"""Import of .mlir files: one function of linalg on tensors."""

from __future__ import annotations

from pathlib import Path

from torch_mlir import ir
from torch_mlir.dialects import func
from torch_mlir.dialects import torch as torch_dialect

from niwaki.errors import NiwakiError
from niwaki.frontend.bound_divisions import bound_divisions
from niwaki.frontend.dense_resources import inline_dense_resources
from niwaki.frontend.double_functions import told, unsupported_double
from niwaki.frontend.imported import Imported
from niwaki.frontend.named_ops import generalize_named_ops
from niwaki.signature import DTYPES, Signature, TensorSpec, Tree

# MLIR's element types as numpy's dtypes. An integer without a sign is taken as signed.
_DTYPES = {
    "f32": "float32",
    "f16": "float16",
    "f64": "float64",
    "bf16": "bfloat16",
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "i1": "bool",
}


def import_mlir(path: str | Path, context: ir.Context) -> Imported:
    """The network in file `path`; its function may have any name where it is the only public one.

    Raises NiwakiError, as ``file:line:col: message`` where a place is known, for a file that cannot
    be read or parsed, has no such function or computes functions of float64 that IREE lacks, or
    whose function takes or returns anything but tensors of fixed sizes and supported dtypes.
    """
    path = Path(path)
    # The torch dialect is no input, but knowing it tells a file that is one step too early from a
    # broken one.
    torch_dialect.register_dialect(context)
    module = _parse(path, context)
    _check_dialects(path, module)
    function = _network(path, module)
    signature = _signature(path, function)
    if op := unsupported_double(module):
        raise _error_at(path, op.location, told(op))
    inline_dense_resources(module, path)
    generalize_named_ops(module)
    bound_divisions(module)
    function.attributes["sym_name"] = ir.StringAttr.get("main", context)
    return Imported(module, signature)


def _parse(path: Path, context: ir.Context) -> ir.Module:
    try:
        path.open("rb").close()
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return ir.Module.parseFile(str(path), context)
    except ir.MLIRError as error:
        first = error.error_diagnostics[0]
        raise _error_at(path, first.location, first.message.strip()) from error


def _error_at(path: Path, location: ir.Location, message: str) -> NiwakiError:
    place = ir.Location.from_attr(location.attr, context=location.context)
    if isinstance(place, ir.FileLineColLoc):
        return NiwakiError(f"{place.filename}:{place.start_line}:{place.start_col}: {message}")
    return NiwakiError(f"{path}: {message}")


def _check_dialects(path: Path, module: ir.Module) -> None:
    too_early: list[ir.Operation] = []  # an exception would not get through walk()

    def visit(op: ir.Operation) -> ir.WalkResult:
        if not op.name.startswith("torch."):
            return ir.WalkResult.ADVANCE
        too_early.append(op)
        return ir.WalkResult.INTERRUPT

    module.operation.walk(visit)
    for op in too_early:
        raise _error_at(
            path,
            op.location,
            f"'{op.name}' is of the torch dialect: lower the file to linalg on tensors",
        )


def _network(path: Path, module: ir.Module) -> func.FuncOp:
    functions = [op for op in module.body.operations if isinstance(op, func.FuncOp)]
    public = [f for f in functions if not f.is_external and "sym_visibility" not in f.attributes]
    named_main = [f for f in public if f.name.value == "main"]
    if len(public) == 1 or named_main:
        return (named_main or public)[0]
    if not public:
        raise NiwakiError(
            f"{path}: has no public function with a body: the network must be a func.func"
        )
    names = ", ".join(f"@{f.name.value}" for f in public)
    raise NiwakiError(f"{path}: has several public functions ({names}): name the network @main")


def _signature(path: Path, function: func.FuncOp) -> Signature:
    arguments, results = function.type.inputs, function.type.results
    if not results:
        raise _error_at(path, function.location, "the function returns nothing")
    inputs = [
        _spec(path, function, f"arg{i}", f"input {i}", type_) for i, type_ in enumerate(arguments)
    ]
    outputs = [
        _spec(path, function, f"output_{i}" if len(results) > 1 else "output", f"output {i}", type_)
        for i, type_ in enumerate(results)
    ]
    output_tree: Tree = 0 if len(results) == 1 else {"tuple": list(range(len(results)))}
    input_tree: Tree = {"tuple": [{"tuple": list(range(len(arguments)))}, {"dict": {}}]}
    return Signature(tuple(inputs), tuple(outputs), input_tree, output_tree)


def _spec(path: Path, function: func.FuncOp, name: str, what: str, type_: ir.Type) -> TensorSpec:
    if not isinstance(type_, ir.RankedTensorType):
        raise _error_at(path, function.location, f"{what} is {type_}, not a ranked tensor")
    for dimension in range(type_.rank):
        if type_.is_dynamic_dim(dimension):
            raise _error_at(
                path,
                function.location,
                f"{what}: the size of dimension {dimension} is dynamic: give the tensor a fixed "
                "size",
            )
    element = str(type_.element_type)
    dtype = _DTYPES.get(element, element)
    if dtype not in DTYPES:
        raise _error_at(
            path,
            function.location,
            f"{what} is {dtype}, which is not supported: use one of {', '.join(DTYPES)}",
        )
    return TensorSpec(name, tuple(type_.shape), dtype)
