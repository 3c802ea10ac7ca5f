"""Loops of PyTorch's `while_loop` and `scan`: their bodies become programs of their own.

    y = while_loop(condition, body, (x,), (weight, r))
      -->
    y = niwaki::loop(None, condition(x), x, r)        and the program loop_0(x, r) beside it

The weights that a body reads are weights of its program. torch.export puts them among what goes in.
"""

from __future__ import annotations

import copy
import json
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import GraphModule, Node

from niwaki.errors import NiwakiError
from niwaki.frontend.constants import constant_names, constant_tensors
from niwaki.frontend.layer_names import layer_name
from niwaki.frontend.loop_op import ENDLESS, NAME, LoopOptions
from niwaki.frontend.torch_export import export
from niwaki.frontend.torch_own_ops import define

WHILE, SCAN = torch.ops.higher_order.while_loop, torch.ops.higher_order.scan

# Numbers of operands and results that `niwaki::loop` is defined for.
_DEFINED: set[tuple[int, int]] = set()

# Before names of weights, so that they are no other attributes of a module.
_MARK = "of/"

# Prepares the program of a body for the import.
Prepare = Callable[[ExportedProgram], ExportedProgram]


def take_loops(
    program: ExportedProgram, bodies: dict[str, ExportedProgram], prepare: Prepare
) -> ExportedProgram:
    """`program`, or a new one where loops are ops of ours; `bodies` gets theirs, by name.

    Raises:
        NiwakiError: a loop carries something else than tensors, or its condition makes some.
    """
    if not any(node.target in (WHILE, SCAN) for node in program.graph.nodes):
        return program
    program = _copy(program)
    for node in list(program.graph.nodes):
        if node.target in (WHILE, SCAN):
            name = f"loop_{len(bodies)}"
            bodies[name] = program  # takes the name, until it is prepared
            bodies[name] = prepare(_replace(program, node, name))
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


class Body(nn.Module):
    """What a turn computes, as a module of what changes from turn to turn and what is read.

    Attributes:
        step, condition: the graphs that torch.export has made; a scan has no condition.
        carried: how many tensors each turn gives to the next.
        sequences: how many there are of which each turn takes a part.
        weights: of the tensors that are read besides names of those that are weights.
    """

    def __init__(
        self,
        step: GraphModule,
        condition: GraphModule | None,
        carried: int,
        sequences: int,
        weights: Sequence[tuple[str, torch.Tensor] | None],
    ) -> None:
        super().__init__()
        self.step, self.condition = step, condition
        self.carried, self.sequences = carried, sequences
        self.weights = ["" if weight is None else _buffer(weight[0]) for weight in weights]
        for name, value in filter(None, weights):
            self.register_buffer(_buffer(name), value)

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Gets the turn if there are sequences, what is carried, these, and what is no weight."""
        turn, *rest = given if self.sequences else (None, *given)
        states, values = rest[: self.carried], iter(rest[self.carried :])
        whole = [next(values) for _ in range(self.sequences)]
        read = [getattr(self, name) if name else next(values) for name in self.weights]
        if self.condition is None:
            assert turn is not None, "a scan has sequences"
            place = turn.reshape(1)
            items = [torch.index_select(one, 0, place).squeeze(0) for one in whole]
            return tuple(self.step(*states, *items, *read))
        made = self.step(*states, *read)
        return (self.condition(*made, *read), *made)


def _buffer(weight: str) -> str:
    """What a weight is called in the module of a body, where dots would be modules."""
    return f"{_MARK}{weight.removeprefix(_MARK).replace('.', '/')}"


def _replace(program: ExportedProgram, node: Node, name: str) -> ExportedProgram:
    """Put an op of ours in the place of a loop; returns the program of its body."""
    graphs, values = _arguments(node)
    modules = [getattr(program.graph_module, str(graph.target)) for graph in graphs]
    step, condition = modules[-1], modules[0] if len(modules) == 2 else None
    carried, sequences, additional = values
    for value in (*carried, *sequences, *additional):
        if not isinstance(value, Node) or not isinstance(value.meta.get("val"), torch.Tensor):
            raise NiwakiError(
                f"layer {layer_name(node)!r}: {node.target.name()!r} carries {value!r}, which is "
                "no tensor: make it one"
            )
    if condition is not None and condition.graph.find_nodes(op="get_attr"):
        raise NiwakiError(
            f"layer {layer_name(node)!r}: {node.target.name()!r} has a condition that makes a "
            "tensor of its own: make it a buffer of the model, or write a number"
        )
    known, names = constant_tensors(program), constant_names(program)
    weights = [(names[value], known[value]) if value in known else None for value in additional]
    body = Body(step, condition, len(carried), len(sequences), weights)
    read = [*sequences, *(value for value in additional if value not in known)]
    turn = [torch.zeros((), dtype=torch.int64)] * bool(sequences)
    inner = export(body.eval(), (*turn, *map(_like, [*carried, *read])), {})
    _name_layers(inner)

    turns = sequences[0].meta["val"].shape[0] if sequences else ENDLESS
    options = LoopOptions(name, len(carried), turns, condition is not None, bool(sequences))
    results = [value.meta["val"] for value in carried]
    parts = node.meta["val"][len(carried) :]
    kinds = [[list(part.shape), str(part.dtype).removeprefix("torch.")] for part in parts]
    told = json.dumps({"loop": options.as_dict(), "collected": kinds})
    operator_ = _loop_op(2 + len(carried) + len(read), len(results) + len(parts))
    with program.graph.inserting_before(node):
        first = None
        if condition is not None:
            formal = [n for n in condition.graph.nodes if n.op == "placeholder"]
            places = dict(zip(formal, [*carried, *additional], strict=True))
            first = program.graph.graph_copy(condition.graph, places)
        made = program.graph.call_function(operator_, (None, first, *carried, *read, told))
    made.meta = dict(node.meta)
    if len(results) + len(parts) == 1:
        made.meta["val"] = node.meta["val"][0]
    for user in list(node.users):
        if user.target is operator.getitem and len(results) + len(parts) == 1:
            user.replace_all_uses_with(made)
    node.replace_all_uses_with(made)
    return inner


def _arguments(node: Node) -> tuple[list[Node], list[Sequence[Any]]]:
    """Graphs of a loop; what it carries, its sequences, and what it reads besides."""
    args: tuple[Any, ...] = node.args
    if node.target is WHILE:
        condition, step, carried, additional = args
        return [condition, step], [carried, (), additional]
    step, carried, sequences, additional = args
    return [step], [carried, sequences, additional]


def _like(node: Node) -> torch.Tensor:
    value = node.meta["val"]
    return torch.zeros(value.shape, dtype=value.dtype)


def _name_layers(program: ExportedProgram) -> None:
    """Let layers be called by their weights: modules around them are not known any more."""
    names = constant_names(program)
    for node in program.graph.nodes:
        for source in node.all_input_nodes:
            path, _, kind = names.get(source, "").removeprefix(_MARK).rpartition("/")
            if kind == "weight":
                name = path.replace("/", ".")
                node.meta["nn_module_stack"] = {name: (name, "torch.nn.modules.Layer")}


def _loop_op(operands: int, results: int) -> Any:
    """`niwaki::loop` for so many tensors."""
    overload = f"of{operands}_{results}"
    if (operands, results) not in _DEFINED:
        define(f"{NAME}.{overload}", operands, _results, results)
        _DEFINED.add((operands, results))
    return getattr(torch.ops.niwaki.loop, overload)


def _results(options: dict[str, Any], *operands: torch.Tensor) -> list[torch.Tensor]:
    """Tensors like those that a loop gives."""
    carried = operands[2 : 2 + options["loop"]["carried"]]
    kinds = options["collected"]
    return [*carried, *(torch.empty(shape, dtype=getattr(torch, kind)) for shape, kind in kinds)]


def _copy(program: ExportedProgram) -> ExportedProgram:
    """A program whose graph is its own, and whose weights are not.

    Its constructor would refuse what may be changed in place until it is decomposed.
    """
    made = copy.copy(program)
    made._graph_module = copy.deepcopy(program.graph_module)
    made._graph_signature = copy.deepcopy(program.graph_signature)
    return made
