"""The ops of ours that frontends know, by name: what `set_aside` makes of each."""

from __future__ import annotations

from niwaki.frontend.recurrent_ops import make_recurrent
from niwaki.frontend.set_aside import Maker

MAKERS: dict[str, Maker] = {
    "recurrent": make_recurrent,
}
