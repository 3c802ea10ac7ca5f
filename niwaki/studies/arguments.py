"""What `niwaki.search` is given, checked before a study begins or a file is made."""

from __future__ import annotations

from typing import Any

from niwaki.arguments import check_kind, check_path, check_whole, given
from niwaki.atomic import check_writable
from niwaki.errors import NiwakiError
from niwaki.extras import require
from niwaki.progress import Progress

from .functions import Functions
from .limits import Limits
from .samplers import check_sampler
from .space import check_space


def check_arguments(
    space: object, functions: Functions, limits: Limits, sampler: object, **options: Any
) -> None:
    """Refuse what cannot be searched.

    Args:
        options: the others of `niwaki.search`, by name.

    Raises:
        NiwakiError: one is not what it must be.
    """
    check_space(space)
    functions.check()
    limits.check()
    check_sampler(sampler, limits)
    check_whole("trials", options["trials"], 1)
    check_whole("seed", options["seed"], 0)
    if options["progress"] is not None:
        check_kind("progress", options["progress"], Progress, "a Progress")
    if options["describe"] is not None and not callable(options["describe"]):
        told = given(options["describe"])
        raise NiwakiError(f"describe is a function of a point that returns layers, not {told}")
    if options["storage"] is not None:
        check_path("storage", options["storage"])
    if options["page"] is not None:
        check_path("page", options["page"])
        require("report")
        check_writable(options["page"])
