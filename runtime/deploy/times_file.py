"""`times.json`: what calls and layers take on a device, for whoever has the bundle.

`calls` is what `niwaki bench --json` prints, `layers` what `niwaki bench --layers --json` does, and
`kernels` what `niwaki compile --tune-from` needs.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError

from ..bundle import MODULE, Bundle
from ..json_fields import decode
from ..layer_times import LayerTimes
from ..measure import Measurement
from .kernel_times import KernelTime


@dataclass(frozen=True)
class DeviceTimes:
    """Times of one network on one device.

    Attributes:
        module: digest of the network's module.
        length: of a network of several lengths, which; else 0.
        target: what the network was compiled for.
        model: of the device.
        calls: times of single calls.
        layers: times of kernel runs; none where the device's runtime cannot tell them.
        kernels: times of layers beside their estimates.
    """

    module: str
    length: int
    target: str
    model: str
    calls: Measurement
    layers: LayerTimes | None
    kernels: list[KernelTime]


def write_times(path: str | os.PathLike[str], times: DeviceTimes) -> None:
    """Write the file, whole or not at all. Errors as `atomic_file`."""
    with atomic_file(path) as file:
        file.write((json.dumps(asdict(times), indent=1) + "\n").encode())


def read_times(path: str | os.PathLike[str], bundle: Bundle) -> tuple[DeviceTimes, Bundle]:
    """The times in a file, and of `bundle` the network, for one target and length, that has them.

    Raises:
        NiwakiError: there is no such file, it holds something else, or times of another network.
    """
    times = _read(path)
    return times, _timed(times, bundle, os.fspath(path))


def read_kernels(path: str | os.PathLike[str]) -> tuple[str, list[KernelTime]]:
    """The target and the layers' times in a file. Errors as `read_times`."""
    times = _read(path)
    if any(not kernel.estimated_ns for kernel in times.kernels):
        raise NiwakiError(f"{os.fspath(path)} has times without estimates: deploy the bundle again")
    return times.target, times.kernels


def _read(path: str | os.PathLike[str]) -> DeviceTimes:
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except FileNotFoundError:
        raise NiwakiError(f"{name} does not exist: `niwaki deploy` writes it") from None
    except OSError as error:
        raise NiwakiError(f"cannot read {name}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise NiwakiError(f"{name} is not valid JSON: `niwaki deploy` writes it anew") from None
    times: DeviceTimes = decode(DeviceTimes, value, name)
    if times.layers is not None:
        layers = decode(LayerTimes, times.layers, f"{name}.layers")
        return replace(times, layers=layers)
    return times


def _timed(times: DeviceTimes, bundle: Bundle, name: str) -> Bundle:
    parts = [part for part in bundle.parts if part.manifest.digests.get(MODULE) == times.module]
    if not parts:
        raise NiwakiError(
            f"{name} has times of another bundle than {bundle.path}: run `niwaki deploy` again"
        )
    network = parts[0].at(times.length) if times.length else parts[0]
    runs = times.layers.runs if times.layers else []
    timed = [(run.layer, run.kernel, run.family) for run in runs]
    told = [(run.layer, run.kernel, run.family) for run in network.manifest.dispatches]
    if times.layers and timed != told:
        raise NiwakiError(
            f"{name} has times of other layers than {bundle.path}: run `niwaki deploy` again"
        )
    return network
