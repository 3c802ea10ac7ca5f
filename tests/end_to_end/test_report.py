"""Times of a network's layers, and its report as a browser shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click.testing
import pytest
import torch
from browser import rendered
from small_networks import Function
from torch import nn

import niwaki
from niwaki.cli import main
from niwaki.runtime.bundle import open_bundle

# Appended to a copy of the page: what it loads, what fails, and what its table does.
PROBE = """
<script>
const named = () => [...document.querySelectorAll("#layers tbody tr")].map((row) => [
  row.cells[1].textContent, row.cells[2].textContent]);
const sorted = (heading) => {
  const buttons = [...document.querySelectorAll("#layers th button")];
  buttons.find((button) => button.textContent === heading).click();
  return named();
};
const titles = [...document.querySelectorAll("#layers th")].map((cell) => cell.innerText);
const layers = document.querySelectorAll("#layers tbody tr.layer");
const estimated = [...layers].map((row) => [
  row.cells[1].textContent, row.cells[titles.indexOf("estimated")]?.textContent]);
const box = (id) => document.querySelector(id + " svg")?.getBoundingClientRect().width ?? 0;
const result = { rows: named(), byKept: sorted("kept"), byKeptDown: sorted("kept"),
  byOp: sorted("op"),
  cells: [...document.querySelectorAll("#layers tbody tr")].map((row) => row.cells.length),
  headings: titles, estimated,
  plots: [box("#time-plot"), box("#roofline")], pictures: document.querySelectorAll(".kept").length,
  loaded: performance.getEntriesByType("resource").map((entry) => entry.name), failures };
document.body.innerHTML = "";
document.body.append(JSON.stringify(result));
</script>
"""
WATCH = """<script>
const failures = [];
addEventListener("error", (event) => failures.push(String(event.message)), true);
addEventListener("securitypolicyviolation", (event) => failures.push(event.blockedURI));
</script>"""


def branches() -> nn.Module:
    """Four convolutions of one shape, which share a kernel; IREE runs `b` and `d` side by side."""
    torch.manual_seed(0)
    convs = {name: nn.Conv2d(16, 16, 3, padding=1) for name in "abcd"}
    for number, conv in enumerate(convs.values(), 1):
        conv.weight.data *= (torch.rand(2, 16, 3, 3) < number / 8).repeat_interleave(8, dim=0)

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.a(x))
        left, right = torch.relu(self.c(torch.relu(self.b(x)))), torch.relu(self.d(x))
        return torch.cat([left, right.flip(3)], 1)

    return Function(forward, **convs)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "branches.niwaki"
    niwaki.compile(branches(), torch.randn(1, 16, 20, 20), output=path)
    return path


def run(*arguments: object) -> str:
    result = click.testing.CliRunner().invoke(main, [*map(str, arguments)])
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout


@pytest.mark.parametrize("threads", [1, 2])
def test_layers_that_share_a_kernel_are_told_apart(path: Path, threads: int) -> None:
    options = ("--layers", "--threads", threads, "--warmup", 2, "--repetitions", 40)
    times = json.loads(run("bench", path, *options, "--json"))
    layers = [run for run in times["runs"] if run["family"] == "gather_gemm"]
    assert sorted(run["layer"] for run in layers) == ["a", "b", "c", "d"]
    assert len({run["kernel"] for run in layers}) < 4
    order = [run["layer"] for run in layers]
    assert order.index("a") < order.index("b") < order.index("c")
    assert order.index("a") < order.index("d")
    assert any(run["family"] == "" for run in times["runs"])
    assert all(run["seconds"] > 0 for run in times["runs"])
    assert (times["calls"], times["threads"]) == (40, threads)


def test_table_of_times(path: Path) -> None:
    lines = run("bench", path, "--layers", "--repetitions", 4, "--warmup", 0).splitlines()
    assert lines[0].split() == ["layer", "op", "scheme", "kernel", "kept", "time"]
    assert max(map(len, lines)) <= 80
    whole = r"[\d.,]+ us a call, [\d.,]+ us of it between kernels \(4 profiled calls, 1 thread\)"
    assert re.fullmatch(whole, lines[-1])


def test_layers_on_another_device(path: Path) -> None:
    result = click.testing.CliRunner().invoke(
        main, ["bench", str(path), "--layers", "--device", "vulkan"]
    )
    assert result.exit_code == 1
    assert "was compiled for device 'local'" in result.stderr


def shown(page: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """What the probe found in a page that a browser has rendered, and the browser's console."""
    text = page.read_text(encoding="utf-8")
    text = text.replace("<head>", f"<head>{WATCH}", 1).replace("</body>", f"{PROBE}</body>", 1)
    probed = folder / "probed.html"
    probed.write_text(text, encoding="utf-8")
    options = "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"
    found, told = rendered(probed, folder, *options)
    return found, "\n".join(line for line in told.splitlines() if "CONSOLE" in line)


@pytest.mark.requires_chromium
def test_report_in_a_browser(path: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run("report", path, "-o", page) == f"wrote {page}\n"
    found, console = shown(page, tmp_path)
    assert (found["failures"], found["loaded"], console) == ([], [], "")
    assert found["headings"][-5:] == ["time", "share", "estimated", "GFLOP/s", "of peak"]
    assert set(found["cells"]) == {len(found["headings"])}
    estimates = {
        layer.name: f"{layer.estimated_ns / 1000:,.1f} us" for layer in open_bundle(path).layers
    }
    assert dict(found["estimated"]) == estimates
    convs = [name for name, op in found["rows"] if op == "conv 3x3"]
    assert sorted(convs) == ["a", "b", "c", "d"]
    assert found["rows"][-1] == ["other", "between kernels"]
    # a keeps 1 weight in 8, b 2, c 3, d 4; rows without weights come last either way.
    assert [name for name, _ in found["byKept"][:4]] == ["a", "b", "c", "d"]
    assert [name for name, _ in found["byKeptDown"][:4]] == ["d", "c", "b", "a"]
    ops = [op for _, op in found["byOp"]]
    assert ops == sorted(ops, key=str.lower)
    assert all(width > 300 for width in found["plots"])
    assert found["pictures"] == 4


@pytest.mark.requires_chromium
def test_report_of_another_machine_in_a_browser(tmp_path: Path) -> None:
    path, page = tmp_path / "net.niwaki", tmp_path / "report.html"
    bundle = niwaki.compile(branches(), torch.randn(1, 16, 8, 8), target="vulkan", output=path)
    bundle.write_report(page)
    assert "layers are timed on CPUs only" in page.read_text(encoding="utf-8")
    found, console = shown(page, tmp_path)
    assert (found["failures"], found["loaded"], console) == ([], [], "")
    assert found["headings"][-1] == "of CSR"
    assert set(found["cells"]) == {len(found["headings"])}
    assert found["plots"] == [0, 0]
    assert found["pictures"] == 4
