"""The end of every compilation: code for a lowered network, as a bundle has it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from niwaki.code_generation import generate_code, iree_input
from niwaki.lowering import Lowered
from niwaki.progress import Progress
from niwaki.records import StateRecord
from niwaki.runtime.bundle import Compiled
from niwaki.runtime.manifest import Manifest
from niwaki.targets import Target


def compile_lowered(
    lowered: Lowered,
    target: Target,
    states: Sequence[StateRecord] = (),
    progress: Progress | None = None,
) -> Compiled:
    """Let IREE generate code.

    Must be called in an MLIR context.

    Args:
        states: of the network, which its passes have been told of.
        progress: hears what is being done.

    Raises:
        CompilerBug: IREE refuses the network.
    """
    progress = progress or Progress()
    progress.stage("generate code (IREE)")
    text = iree_input(lowered.module)
    code = generate_code(text, target, lowered.computed)
    networks = lowered.networks
    manifest = Manifest(
        niwaki=version("niwaki"),
        iree=version("iree-base-compiler"),
        target=target.name,
        driver=target.device,
        signature=networks.imported[networks.longest].signature,
        architecture=target.architecture,
        cpu_features=target.cpu_features,
        device_features=code.needs,
        states=list(states),
        **lowered.records(code.orders),
    )
    return Compiled(manifest, code.module, lowered.parameters)
