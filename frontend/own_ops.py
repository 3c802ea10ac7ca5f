"""The ops of ours that frontends know, by name: what `set_aside` makes of each."""

from __future__ import annotations

from niwaki.frontend import attention_op, branch_op, loop_op, take_op
from niwaki.frontend.normalize_ops import make_normalize, make_normalize_planes
from niwaki.frontend.recurrent_ops import make_recurrent
from niwaki.frontend.set_aside import Maker

MAKERS: dict[str, Maker] = {
    attention_op.NAME: attention_op.make_attention,
    branch_op.NAME: branch_op.make_branch,
    "normalize": make_normalize,
    "normalize_planes": make_normalize_planes,
    "recurrent": make_recurrent,
    loop_op.NAME: loop_op.make_loop,
    take_op.NAME: take_op.make_take,
}
