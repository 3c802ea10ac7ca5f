"""Loops and branches of PyTorch as ops of ours, before anything else is done with a program."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch.export import ExportedProgram

from niwaki.frontend.torch_branches import COND, take_branch
from niwaki.frontend.torch_loops import SCAN, WHILE, take_loop

# Prepares the program of a body for the import.
Prepare = Callable[[ExportedProgram], ExportedProgram]

_TAKEN = {WHILE: take_loop, SCAN: take_loop, COND: take_branch}


def take_control_flow(
    program: ExportedProgram, bodies: dict[str, ExportedProgram], prepare: Prepare
) -> ExportedProgram:
    """`program`, or a new one whose loops and branches are ops of ours; `bodies` gets theirs.

    Raises:
        NiwakiError: one of them is given something else than tensors, or a condition makes some.
    """
    if not any(node.target in _TAKEN for node in program.graph.nodes):
        return program
    program = _copy(program)

    def add(kind: str, body: ExportedProgram) -> str:
        name = f"{kind}_{len(bodies)}"
        bodies[name] = body  # takes the name, until it is prepared
        bodies[name] = prepare(body)
        return name

    for node in list(program.graph.nodes):
        if node.target in _TAKEN:
            _TAKEN[node.target](program, node, add)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def _copy(program: ExportedProgram) -> ExportedProgram:
    """A program whose graph is its own, and whose weights are not.

    Its constructor would refuse what may be changed in place until it is decomposed.
    """
    made = copy.copy(program)
    made._graph_module = copy.deepcopy(program.graph_module)
    made._graph_signature = copy.deepcopy(program.graph_signature)
    return made
