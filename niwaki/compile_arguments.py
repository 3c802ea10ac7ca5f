"""What `niwaki.compile` is given, checked before any work is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .arguments import PATH, check_kind, check_number, check_path, check_whole, given
from .elements import ELEMENTS, F32
from .errors import NiwakiError
from .progress import Progress
from .tuning.settings import Tuning


def check_arguments(**arguments: Any) -> None:
    """Raises NiwakiError, which names the argument, where one is of the wrong kind."""
    check_path("output", arguments["output"])
    if arguments["dump_ir"] is not None:
        check_path("dump_ir", arguments["dump_ir"])
    if arguments["weights"] is not None:
        check_kind("weights", arguments["weights"], (*PATH, Mapping), "a file, or arrays by name")
    for name in ("example_kwargs", "shapes", "constants", "states"):
        if arguments[name] is not None:
            check_kind(name, arguments[name], Mapping, "a dict by names")
    check_kind("target", arguments["target"], str, "a name as `niwaki targets` lists them")
    if arguments["golden"] is not None:
        check_kind("golden", arguments["golden"], bool, "True, False, or None for the default")
    if arguments["batch"] is not None:
        check_whole("batch", arguments["batch"], 1)
    check_kind("precision", arguments["precision"], str, f"one of {', '.join(ELEMENTS)}")
    _check_tolerance(arguments)
    check_number("trim_threshold", arguments["trim_threshold"], "a number from 0 on", 0)
    if arguments["pipeline"] is not None:
        check_kind("pipeline", arguments["pipeline"], str, "text, as of --pass-pipeline")
    check_kind("tune", arguments["tune"], (bool, Tuning), "True, False or a niwaki.Tuning")
    if arguments["progress"] is not None:
        check_kind("progress", arguments["progress"], Progress, "a niwaki.progress.Progress")
    _check_passes(arguments["without"])
    if arguments["lengths"] is not None:
        _check_lengths(arguments)
    if arguments["place"] is not None:
        _check_place(arguments)


def _check_tolerance(arguments: Mapping[str, Any]) -> None:
    tolerance, calibrate = arguments["tolerance"], arguments["calibrate"]
    if calibrate is not None:
        check_kind("calibrate", calibrate, (*PATH, Mapping), "an .npz file, or arrays by name")
        if tolerance is None:
            raise NiwakiError("calibrate has no effect without a tolerance: give one, as 0.01")
    if tolerance is None:
        return
    check_number("tolerance", tolerance, "a number between 0 and 1, as 0.01")
    if not 0 < tolerance < 1:
        raise NiwakiError(f"tolerance is a number between 0 and 1, as 0.01, not {tolerance!r}")
    if arguments["precision"] == F32.name:
        raise NiwakiError("tolerance says which layers stay f32 of others: it needs precision f16")
    if arguments["pipeline"] is not None:
        raise NiwakiError(
            "tolerance has no effect on a pipeline of one's own: leave out one of them"
        )


def _check_passes(names: Any) -> None:
    if isinstance(names, str):
        raise NiwakiError(f"without is a list of passes: [{names!r}], not {names!r}")
    check_kind("without", names, Collection, "a list of names of passes")
    for name in names:
        if not isinstance(name, str):
            raise NiwakiError(f"without has names of passes, not {given(name)}")


def _check_lengths(arguments: Mapping[str, Any]) -> None:
    lengths = arguments["lengths"]
    wanted = "a list of different whole numbers from 1 on, as [32, 64, 128]"
    check_kind("lengths", lengths, (list, tuple), wanted)
    for length in lengths:
        check_whole("each of lengths", length, 1)
    if not lengths or len({*lengths}) < len(lengths):
        raise NiwakiError(f"lengths is {wanted}, not {lengths!r}")
    for name in ("states", "tolerance", "pipeline"):
        if arguments[name]:
            raise NiwakiError(f"{name} and lengths do not go together: leave out one of them")


def _check_place(arguments: Mapping[str, Any]) -> None:
    place = arguments["place"]
    check_kind("place", place, (str, Mapping), "auto, or targets by patterns of layers' names")
    if isinstance(place, Mapping):
        for pattern, target in place.items():
            if not isinstance(pattern, str) or not isinstance(target, str):
                raise NiwakiError(f"place has targets by patterns, not {pattern!r}: {target!r}")
    # A plan is one network's.
    for name in ("tolerance", "lengths"):
        if arguments[name]:
            raise NiwakiError(f"{name} and place do not go together: leave out one of them")
