"""The network itself, run for a length, before it is compiled for a target.

PyTorch runs its own models. Others are compiled for this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.elements import F32
from niwaki.errors import NiwakiError
from niwaki.frontend import Imported
from niwaki.frontend.input_sizes import shape_text
from niwaki.passes.pipeline import parse_pipeline
from niwaki.passes.pipelines import compile_pipeline
from niwaki.sources import Source
from niwaki.targets import get_target
from niwaki.tolerance.rehearsal import Network, Rehearsal

Array = npt.NDArray[Any]


@contextmanager
def running(source: Source, imported: Imported) -> Iterator[Network]:
    """The network of a source, as a function of flat inputs."""
    if source.program is not None:
        yield torch_network(source)
        return
    steps = parse_pipeline(compile_pipeline(get_target("host")))
    rehearsal = Rehearsal("host", F32, imported.signature)
    with rehearsal.network(imported.module.operation, steps) as network:
        yield network


def torch_network(source: Source) -> Network:
    """A module or exported program, which stays as it is."""
    import torch
    from torch.utils import _pytree as pytree

    program = source.fixed_program
    if isinstance(program, torch.nn.Module):
        module, examples = program, (source.inputs, source.kwargs)
    else:
        module, examples = program.module(check_guards=False), program.example_inputs
    leaves, tree = pytree.tree_flatten(examples)
    buffers = {name: value.clone() for name, value in module.named_buffers()}

    def run(arrays: Sequence[Array]) -> list[Array]:
        given = iter(arrays)
        args, kwargs = pytree.tree_unflatten(
            [
                torch.from_numpy(np.array(next(given))) if isinstance(leaf, torch.Tensor) else leaf
                for leaf in leaves
            ],
            tree,
        )
        try:
            with torch.no_grad():
                result = torch.func.functional_call(module, buffers, args, kwargs)
        except Exception as error:  # of the user's code, so anything may come
            shapes = ", ".join(shape_text(array.shape) for array in arrays)
            reason = next(iter(str(error).splitlines()), "")[:200].rstrip(" .")
            raise NiwakiError(
                f"the network does not run for inputs of {shapes} ({type(error).__name__}: "
                f"{reason}): give lengths that it takes, also those between"
            ) from error
        found = pytree.tree_leaves(result)
        return [leaf.numpy() for leaf in found if isinstance(leaf, torch.Tensor)]

    return run
