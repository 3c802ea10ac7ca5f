"""Zeros that are drawn for many layers at once are like those that networks are measured with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from niwaki.costs.estimates import drawn_for
from niwaki.costs.subject import opened
from niwaki.costs.used_pairs import UsedPairs
from niwaki.layer_costs import Setting

SETTINGS = [
    Setting("unstructured", 15.3),
    Setting("unstructured", 60),
    Setting("block_punched", 15.3),
    Setting("block_punched(filters=16)", 3),
    Setting("filter", 2.2),
    Setting("channel", 3.1),
    Setting("n_m", 4),
    Setting("dense", 1),
    Setting("block_punched", 11, filters=130, channels=100),
]


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_as_many_are_read_as_of_weights_of_its_own(setting: Setting, kernel: int) -> None:
    with opened(nn.Conv2d(192, 256, kernel).eval(), torch.zeros(1, 192, 8, 8)) as subject:
        ((name, (op,)),) = subject.ops.items()
        told = UsedPairs().of(op, setting)
        own = np.asarray(drawn_for(name, op, setting).any(axis=2))
    filters, channels = told.used.any(axis=1), told.used.any(axis=0)
    assert told.whole == (filters.all() and channels.all())
    assert filters.mean() == pytest.approx(own.any(axis=1).mean(), abs=0.1)
    assert channels.mean() == pytest.approx(own.any(axis=0).mean(), abs=0.1)
    if not told.whole and setting.filters is None:  # else how much is read is no matter
        assert told.used.mean() == pytest.approx(own.mean(), abs=0.02)


def test_layers_of_one_shape_do_not_leave_the_same_channels_unread() -> None:
    model = nn.Sequential(*(nn.Conv2d(192, 192, 1) for _ in range(2))).eval()
    with opened(model, torch.zeros(1, 192, 4, 4)) as subject:
        pairs = UsedPairs()
        first, second = (
            pairs.of(op, Setting("block_punched", 20)).used for (op,) in subject.ops.values()
        )
    assert not np.array_equal(first.any(axis=0), second.any(axis=0))


def test_a_setting_may_have_more_filters_than_one_of_the_layers_of_its_name() -> None:
    model = nn.TransformerEncoderLayer(192, 4, 48, batch_first=True).eval()
    with opened(model, torch.zeros(1, 9, 192)) as subject:
        wide = Setting("block_punched", 4, filters=500)
        ops = [op for ops in subject.ops.values() for op in ops]
        assert len({op.weight.type.shape[0] for op in ops}) > 1
        assert all(UsedPairs().of(op, wide).used.any() for op in ops)
