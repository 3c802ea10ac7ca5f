"""The ops of ours that frontends know, by name: what `set_aside` makes of each."""

from __future__ import annotations

from niwaki.frontend import attention_op
from niwaki.frontend.normalize_ops import make_normalize
from niwaki.frontend.recurrent_ops import make_recurrent
from niwaki.frontend.set_aside import Maker

MAKERS: dict[str, Maker] = {
    attention_op.NAME: attention_op.make_attention,
    "normalize": make_normalize,
    "recurrent": make_recurrent,
}
