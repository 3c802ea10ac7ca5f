"""Super-resolution: the network's shapes, where details are, and what is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_photographs import write_photographs
from gallery import enlarge
from gallery.application import Work
from gallery.enlarge_network import enlarging_network
from gallery.scenes import landscape
from gallery.training import DENSE, PRUNED
from image_pairs import pair_of
from safetensors.torch import save_file
from search.super_resolution_training import start_as_bicubic


def test_network_doubles_pixels() -> None:
    assert enlarging_network()(torch.rand(2, 3, 9, 14)).shape == (2, 3, 18, 28)


def test_untrained_network_is_about_bicubic() -> None:
    torch.manual_seed(0)
    network = start_as_bicubic(enlarging_network())
    (psnr_row, ssim_row) = enlarge.rows_of(
        "it", [pair_of(landscape(64, 64, 1), 2)], [enlarge.in_pytorch(network)] * 2
    )
    plain = float(psnr_row[0].split()[-1].rstrip(")"))
    assert psnr_row[1] == psnr_row[2]
    assert float(psnr_row[1].removesuffix(" dB")) == pytest.approx(plain, abs=1)
    assert ssim_row[0].startswith("SSIM on it (bicubic 0.")


def test_busiest_part() -> None:
    image = np.full((200, 300, 3), 90, np.uint8)
    image[60:160, 120:230] += np.random.default_rng(0).integers(0, 99, (100, 110, 1), np.uint8)
    top, left = enlarge.busiest(image)
    assert top <= 60 <= 160 <= top + enlarge.DETAIL
    assert left <= 120 <= 230 <= left + enlarge.DETAIL


def test_judge(tmp_path: Path) -> None:
    write_photographs(tmp_path, size=128)
    torch.manual_seed(0)
    weights = start_as_bicubic(enlarging_network()).state_dict()
    for name in (DENSE, PRUNED):
        save_file(weights, tmp_path / f"{name}.safetensors")
    work = Work(tmp_path, tmp_path, 0.2)
    network = enlarge.in_pytorch(enlarge.make(work, False)[0])
    judged = enlarge.judge(work, network, network)
    assert len(judged.rows) == 7
    assert all(dense == pruned for _, dense, pruned in judged.rows[:-1])
    assert judged.rows[-1] == ("SSIM to the dense network's scene", "1", "1.000")
    side = enlarge.DETAIL * enlarge.CLOSE
    assert [one.pixels.shape for one in judged.pictures] == [(side, 4 * side + 12, 3)] * 2
