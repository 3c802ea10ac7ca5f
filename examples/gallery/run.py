"""Make the gallery: train, prune, compile, time and judge each application, then write the page.

    python examples/gallery/run.py                    all applications; so does `make gallery`
    python examples/gallery/run.py --only detector    one of them
    python examples/gallery/run.py --effort 0.1       with a tenth of the training
    python examples/gallery/run.py --only-times       time again what was made, on a quiet machine

What is trained is kept in `build/gallery/NAME`, so that a second run goes on from there. The page
is `build/gallery/index.html`. Applications learn from what programs draw, and from data sets where
the folder of `--data` or NIWAKI_DATA has them (examples/data_sets.py says how they lie there).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(FOLDER), str(FOLDER / "networks")]

import numpy as np  # noqa: E402 - what follows lies in these folders
import torch  # noqa: E402
from data_sets import data_folder  # noqa: E402
from gallery.application import Application, Work  # noqa: E402
from gallery.applications import APPLICATIONS  # noqa: E402
from gallery.page import write_page  # noqa: E402
from gallery.results import Result, read_result, save_picture  # noqa: E402
from gallery.training import DENSE, PRUNED  # noqa: E402
from in_turns import Answer, in_onnxruntime, milliseconds  # noqa: E402
from mistakes import in_one_line  # noqa: E402
from torch import Tensor, nn  # noqa: E402

import niwaki  # noqa: E402
from niwaki.errors import NiwakiError  # noqa: E402
from niwaki.runtime.bundle import Bundle  # noqa: E402
from niwaki.runtime.peak import cpu_name  # noqa: E402
from niwaki.runtime.quantities import percent, size_text  # noqa: E402
from niwaki.runtime.report import totals  # noqa: E402

OUTPUT = Path("build", "gallery")
CALLS = 30  # that are timed
SEED = 0


def run(application: Application, work: Work) -> Result:
    """All of it; the result is kept in the folder of the work."""
    work.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    application.prepare(work)
    dense, pruned = (application.make(work, is_pruned) for is_pruned in (False, True))
    work.tell("compiling")
    made = [
        niwaki.compile(*network, output=path)
        for network, path in zip((dense, pruned), bundles(work), strict=True)
    ]
    work.tell("judging")
    judged = application.judge(work, elsewhere(*dense)[1], made[1].load())
    result = Result(
        application.name,
        application.title,
        application.summary,
        {},
        judged.rows,
        [
            save_picture(picture, work.folder, f"picture{number}")
            for number, picture in enumerate(judged.pictures, 1)
        ],
        facts(application, pruned[1], made[1]),
        cpu_name(),
        work.effort,
    )
    return timed(application, work, result)


def timed(application: Application, work: Work, result: Result) -> Result:
    """The result with new times, kept."""
    work.tell("timing")
    network, example = application.make(work, False)
    engine, reference = elsewhere(network, example)
    engines: list[Answer] = [reference, *(niwaki.load(path) for path in bundles(work))]
    answers = [finished(application, answer) for answer in engines]
    names = (f"dense, {engine}", "dense, Niwaki", f"pruned {application.rate:g}x, Niwaki")
    times = milliseconds(answers, [example.numpy()] * CALLS)
    made = replace(result, milliseconds=dict(zip(names, times, strict=True)))
    made.save(work.folder)
    return made


def finished(application: Application, answer: Answer) -> Answer:
    return lambda value: application.finish(answer(value))


def bundles(work: Work) -> list[Path]:
    return [work.folder / f"{name}.niwaki" for name in (DENSE, PRUNED)]


def elsewhere(network: nn.Module, example: Tensor) -> tuple[str, Answer]:
    """What runs the dense network beside Niwaki, and its name."""
    if answer := in_onnxruntime(network, example):
        return "ONNX Runtime", answer

    def in_pytorch(value: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            output: np.ndarray = network(torch.from_numpy(value)).numpy()
        return output

    return "PyTorch", in_pytorch


def facts(application: Application, example: Tensor, made: Bundle) -> dict[str, str]:
    """About the network, by what they say."""
    kept = totals(made.manifest)
    sizes = f"{size_text(kept['packed_bytes'])}, dense {size_text(kept['dense_bytes'])}"
    return {
        "input": "x".join(map(str, example.shape)),
        "layers": str(len(made.layers)),
        "pruned": f"{application.scheme}, {application.rate:g}x",
        "weights kept": f"{kept['kept']:,} of {kept['weights']:,} "
        f"({percent(kept['kept'], kept['weights'])})",
        "bytes of weights": sizes,
    }


def tell(name: str, line: str) -> None:
    print(f"{name}: {line}", flush=True)


def told(what: str, dense: str, pruned: str) -> str:
    """A measured row in a line; what compares both networks says nothing of the dense one."""
    return f"{what}: {dense} dense, {pruned} pruned" if dense else f"{what}: {pruned} pruned"


def chosen(names: Sequence[str]) -> list[Application]:
    """Those of these names; all where there are none.

    Raises:
        NiwakiError: there is no such application.
    """
    known = {application.name: application for application in APPLICATIONS}
    for name in names:
        if name not in known:
            raise NiwakiError(f"no application '{name}': there are {', '.join(known)}")
    return [known[name] for name in names or known]


def make_gallery(
    applications: Sequence[Application], output: Path, data: Path | None, effort: float,
    only_times: bool = False,
) -> Path:  # fmt: skip
    """Run them; the page is of all that ever were run into this folder."""
    for application in applications:
        work = Work(output / application.name, data, effort, partial(tell, application.name))
        if not only_times:
            result = run(application, work)
        elif known := read_result(work.folder):
            result = timed(application, work, known)
        else:
            work.tell("left out: it was not made yet")
            continue
        for name, ms in result.milliseconds.items():
            work.tell(f"{name}: {ms:.2f} ms")
        for row in result.rows:
            work.tell(told(*row))
        work.tell(f"{result.ratio:.1f} times as fast")
    page = output / "index.html"
    write_page([output / application.name for application in APPLICATIONS], page)
    return page


@in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description="Make the gallery of applications.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these alone")
    parser.add_argument("--data", type=Path, help="folder of data sets; else NIWAKI_DATA")
    parser.add_argument(
        "--effort", type=float, default=1.0, help="share of the training and of the tests"
    )
    parser.add_argument("--output", type=Path, help="folder; else build/gallery, or with an effort")
    parser.add_argument("--only-times", action="store_true", help="time again what was made")
    options = parser.parse_args()
    if not options.effort > 0:
        raise NiwakiError(f"--effort is above 0, not {options.effort:g}")
    torch.set_num_threads(1)  # results then do not depend on the number of cores
    has_data = options.data is not None or os.environ.get("NIWAKI_DATA")
    # What is trained with less effort must not be taken for the whole.
    usual = OUTPUT if options.effort == 1 else OUTPUT.with_name(f"gallery-{options.effort:g}")
    page = make_gallery(
        chosen(options.only),
        options.output or usual,
        data_folder(options.data) if has_data else None,
        options.effort,
        options.only_times,
    )
    print(f"wrote {page}")


if __name__ == "__main__":
    main()
