"""The end of every compilation: code for a lowered network, and its bundle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version

from niwaki.code_generation import generate_code, iree_input
from niwaki.device_features import device_features
from niwaki.lowering import Lowered
from niwaki.progress import Progress
from niwaki.records import StateRecord
from niwaki.runtime.bundle import write_bundle
from niwaki.runtime.manifest import Manifest
from niwaki.targets import Target


def write_lowered(
    lowered: Lowered,
    target: Target,
    output: str | os.PathLike[str],
    states: Sequence[StateRecord] = (),
    progress: Progress | None = None,
) -> None:
    """Let IREE generate code, and write the bundle; it appears whole or not at all.

    Must be called in an MLIR context.

    Args:
        states: of the network, which its passes have been told of.
        progress: hears what is being done.

    Raises:
        CompilerBug: IREE refuses the network.
        NiwakiError: the file cannot be written.
    """
    progress = progress or Progress()
    progress.stage("generate code (IREE)")
    text = iree_input(lowered.module)
    vmfb, orders = generate_code(text, target, lowered.computed)
    progress.stage("write the bundle")
    networks = lowered.networks
    manifest = Manifest(
        niwaki=version("niwaki"),
        iree=version("iree-base-compiler"),
        target=target.name,
        driver=target.device,
        signature=networks.imported[networks.longest].signature,
        architecture=target.architecture,
        cpu_features=target.cpu_features,
        device_features=device_features(text, target),
        states=list(states),
        **lowered.records(orders),
    )
    write_bundle(output, manifest, vmfb, lowered.parameters)
