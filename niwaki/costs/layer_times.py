"""What single layers take, in any setting.

    setting --> estimates at the two nearest rates of RATES --> each corrected by what was measured,
                                                                or as it was tuned on this machine
            --> between them, by the share of weights that is kept

Estimates are made when they are first asked for and kept in a file; asked again, an answer takes
microseconds. Settings that stand between two rates are interpolated, widths are not: what an odd
number of filters costs is asked for itself.
"""

from __future__ import annotations

import math
from dataclasses import replace

from niwaki.errors import NiwakiError
from niwaki.layer_costs import DENSE, LayerForm, Setting

from .corrections import Corrections
from .estimates import IMPOSSIBLE, Estimate, estimate, form_key
from .forms import form_of, has_fixed_widths
from .rates import rates_around
from .store import Store
from .subject import Subject
from .tuned import Tuned

# Schemes that leave a dense layer without these of its dimensions.
REMOVED = {"filter": 0, "channel": 1}


class LayerTimes:
    """Of the layers of one network on one target.

    Attributes:
        layers: their sizes, by name.
        corrections: what estimates are off by; none at first.
    """

    def __init__(self, subject: Subject, store: Store, tuned: Tuned) -> None:
        self.layers: dict[str, LayerForm] = {
            name: form_of(ops[0]) for name, ops in subject.ops.items()
        }
        self.corrections = Corrections()
        self._subject, self._store, self._tuned = subject, store, tuned
        self._keys = {name: [form_key(op) for op in ops] for name, ops in subject.ops.items()}
        self._estimates = store.estimates()
        self._answers: dict[tuple[str, Setting, float], float] = {}

    def key_of(self, layer: str) -> str:
        """What layers share observations by: the forms of all their ops."""
        return " ".join(self._keys[layer])

    def seconds(self, layer: str, setting: Setting, width: float = 1.0) -> float:
        """How long a layer takes; infinite where the setting is impossible.

        Args:
            width: the least share of its width that is left in the network, whose layers are
                narrower throughout.

        Raises:
            NiwakiError: there is no such layer or scheme, or it cannot have such widths.
        """
        key = layer, setting, width if width == 1 else max(0.1, round(width, 1))
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = self._answer(*key)
        return known

    def at(self, layer: str, setting: Setting, width: float = 1.0) -> float:
        """The same for the setting as it is, whose zeros stay where they are."""
        form, total = self.layers[layer], 0.0
        wide = (setting.filters or form.filters) / form.filters
        width = min(width, wide * (setting.channels or form.channels) / form.channels)
        for key, op in zip(self._keys[layer], self._subject.ops[layer], strict=True):
            found = self._estimate(key, op, setting)
            if math.isinf(found.seconds):
                return math.inf
            tuned = self._tuned.seconds(found)
            total += tuned or self.corrections.seconds(
                self.key_of(layer), found.kind, found.seconds, width
            )
        return total

    def _answer(self, layer: str, setting: Setting, width: float) -> float:
        if layer not in self.layers:
            raise NiwakiError(f"the network has no layer '{layer}': {', '.join(self.layers)}")
        if setting.scheme == DENSE or setting.rate <= 1:
            return self.at(layer, replace(setting, scheme=DENSE, rate=1.0), width)
        if setting.scheme in REMOVED:
            return self._without(layer, setting, width)
        around = rates_around(setting.rate)
        if around is None:
            return self.at(layer, setting, width)
        lower, upper = around
        low = replace(setting, rate=lower)
        if lower == 1:
            low = replace(setting, scheme=DENSE, rate=1.0)
        first = self.at(layer, low, width)
        second = self.at(layer, replace(setting, rate=upper), width)
        if math.isinf(first + second):
            return self.at(layer, setting, width)
        part: float = (1 / lower - 1 / setting.rate) / (1 / lower - 1 / upper)
        return first + part * (second - first)

    def _without(self, layer: str, setting: Setting, width: float) -> float:
        """A layer that is left dense, without a share of its filters or channels."""
        ops = self._subject.ops[layer]
        if any(map(has_fixed_widths, ops)) or len({form_of(op) for op in ops}) > 1:
            return math.inf
        form = self.layers[layer]
        full = setting.filters or form.filters, setting.channels or form.channels
        left = max(1, round(full[REMOVED[setting.scheme]] / setting.rate))
        sizes = (left, full[1]) if setting.scheme == "filter" else (full[0], left)
        return self.at(layer, Setting(filters=sizes[0], channels=sizes[1]), width)

    def _estimate(self, key: str, op: object, setting: Setting) -> Estimate:
        text = f"{setting} {setting.filters}x{setting.channels}"
        found = self._estimates.get((key, text))
        if found is None:
            found = estimate(op, setting, self._subject.target)
            self._estimates[key, text] = found
            if found != IMPOSSIBLE:
                self._store.note_estimate(key, text, found)
        return found
