"""What layers of a network cost on a target, in any setting: `niwaki.layer_costs` with answers.

    setting --> estimates at the two nearest rates of RATES --> each corrected by what was measured
            --> between them, by the share of weights that is kept

Estimates are made when they are first asked for and kept in a file; asked again, an answer takes
microseconds. Settings that stand between two rates are interpolated, widths are not: what an odd
number of filters costs is asked for itself.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from niwaki.errors import NiwakiError
from niwaki.layer_costs import DENSE, LayerForm, Setting

from .corrections import Corrections, Seen
from .estimates import IMPOSSIBLE, Estimate, estimate, form_key
from .forms import form_of, has_fixed_widths
from .observation import CALL, Observation
from .store import Store
from .subject import Subject
from .trials import is_narrow
from .widths import WHOLE, Left, Widths

# Rates at which estimates are made; a scheme that cannot have the next lower one is asked for
# what it can.
RATES = (1.25, 1.5, 2, 2.25, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
# Schemes that leave a dense layer without these of its dimensions.
REMOVED = {"filter": 0, "channel": 1}
# Of widths of dense layers, which lie anywhere, so many are asked for.
STEPS = 16


@dataclass
class Oracle:
    """Costs of one network on one target.

    Attributes:
        subject: the network.
        store: keeps estimates.
        trials: settings in which the network was measured, by the trial's name.
        observations: what it took in them; without any, estimates stand as they are, and what is no
            layer costs nothing.
    """

    subject: Subject
    store: Store
    trials: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    observations: Mapping[str, Observation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layers: dict[str, LayerForm] = {
            name: form_of(ops[0]) for name, ops in self.subject.ops.items()
        }
        self._keys = {name: [form_key(op) for op in ops] for name, ops in self.subject.ops.items()}
        self._estimates = self.store.estimates()
        self._answers: dict[tuple[str, Setting, float], float] = {}
        self._widths = Widths(self.subject.imported.module.operation)
        self._corrections = Corrections(self._seen())
        self.others, self._between = self._others()

    def seconds(self, layer: str, setting: Setting) -> float:
        """How long a layer takes; infinite where the setting is impossible.

        Raises:
            NiwakiError: there is no such layer or scheme, or it cannot have such widths.
        """
        known = self._answers.get((layer, setting, 1.0))
        return self._asked(layer, setting, 1.0) if known is None else known

    def _asked(self, layer: str, setting: Setting, width: float) -> float:
        """The same in a network whose layers are narrower: this one has so much of its `width`."""
        key = layer, setting, max(0.1, round(width, 1))
        if key not in self._answers:
            self._answers[key] = self._answer(*key)
        return self._answers[key]

    def network(self, settings: Mapping[str, Setting]) -> float:
        """How long a call takes with these layers so, and all others dense.

        Channels that settings leave unread or zero are trimmed. What is no layer takes what it does
        in the dense network, or as much less as the layer for which it is, a copy of its input say,
        reads fewer channels; what no kernel takes grows with the layers' time, as caches tell.
        """
        left = self._widths.of(settings)
        total = sum(
            self._trimmed(name, settings.get(name, Setting()), left.get(name, WHOLE))
            for name in self.layers
        )
        total *= 1 + self._between
        for name, seconds in self.others.items():
            one = left.get(name, WHOLE)
            form = self.layers.get(name)
            total += seconds * (one.filters if form and form.is_depthwise else one.channels)
        return total

    def _trimmed(self, layer: str, setting: Setting, left: Left) -> float:
        """A layer of which no more is left."""
        form = self.layers[layer]
        own = replace(setting, filters=None, channels=None)
        if left == WHOLE and own.scheme in REMOVED and own.rate > 1:
            return self._at(layer, own, 1.0)  # what is zero stays: others need its place
        if left == WHOLE:
            return self.seconds(layer, own)
        if own.scheme == DENSE or own.scheme in REMOVED:
            return self._narrow(layer, left.filters * form.filters, left.channels * form.channels)
        # What is left of the weights is multiplied as in a layer that keeps so few; the rest of the
        # time, mostly that of storing results, follows the filters.
        fewest = self._asked(layer, replace(own, rate=RATES[-1]), left.width)
        seconds = self._asked(layer, own, left.width)
        if math.isinf(fewest):
            return seconds * left.weights
        return fewest * left.filters + max(0.0, seconds - fewest) * left.weights

    def _narrow(self, layer: str, filters: float, channels: float) -> float:
        """A dense layer of other widths, between those that are asked for."""
        form = self.layers[layer]
        rows, columns = _around(filters, form.filters), _around(channels, form.channels)
        return sum(
            part * share * self.seconds(layer, Setting(filters=f, channels=c))
            for f, part in rows
            for c, share in columns
        )

    def _answer(self, layer: str, setting: Setting, width: float) -> float:
        if layer not in self.layers:
            raise NiwakiError(f"the network has no layer '{layer}': {', '.join(self.layers)}")
        if setting.scheme == DENSE or setting.rate <= 1:
            return self._at(layer, replace(setting, scheme=DENSE, rate=1.0), width)
        if setting.scheme in REMOVED:
            ops = self.subject.ops[layer]
            if any(map(has_fixed_widths, ops)) or len({form_of(op) for op in ops}) > 1:
                return math.inf
            form = self.layers[layer]
            full = setting.filters or form.filters, setting.channels or form.channels
            left = max(1, round(full[REMOVED[setting.scheme]] / setting.rate))
            sizes = (left, full[1]) if setting.scheme == "filter" else (full[0], left)
            return self._at(layer, Setting(filters=sizes[0], channels=sizes[1]), width)
        above = bisect.bisect_left(RATES, setting.rate)
        if above == len(RATES) or setting.rate == RATES[above]:
            return self._at(layer, setting, width)
        upper: float = RATES[above]
        lower: float = RATES[above - 1] if above else 1.0
        low = replace(setting, rate=lower) if above else replace(setting, scheme=DENSE, rate=1.0)
        first = self._at(layer, low, width)
        second = self._at(layer, replace(setting, rate=upper), width)
        if math.isinf(first + second):
            return self._at(layer, setting, width)
        part: float = (1 / lower - 1 / setting.rate) / (1 / lower - 1 / upper)
        return first + part * (second - first)

    def _at(self, layer: str, setting: Setting, width: float) -> float:
        """The corrected estimate of all ops of a layer, for the setting as it is."""
        form, total = self.layers[layer], 0.0
        wide = (setting.filters or form.filters) / form.filters
        width = min(width, wide * (setting.channels or form.channels) / form.channels)
        for key, op in zip(self._keys[layer], self.subject.ops[layer], strict=True):
            found = self._estimate(key, op, setting)
            if math.isinf(found.seconds):
                return math.inf
            whole = self._key_of(layer)
            total += self._corrections.seconds(whole, found.kind, found.seconds, width)
        return total

    def _estimate(self, key: str, op: object, setting: Setting) -> Estimate:
        text = f"{setting} {setting.filters}x{setting.channels}"
        found = self._estimates.get((key, text))
        if found is None:
            found = estimate(op, setting, self.subject.target)
            self._estimates[key, text] = found
            if found != IMPOSSIBLE:
                self.store.note_estimate(key, text, found)
        return found

    def _key_of(self, layer: str) -> str:
        """What layers share observations by: the forms of all their ops."""
        keys = self._keys[layer]
        return keys[0] if len(keys) == 1 else " ".join(keys)

    def _seen(self) -> Iterator[Seen]:
        """What was measured of single layers, in all trials."""
        for trial, observation in self.observations.items():
            left = self._widths.of(self.trials[trial])
            for name, took in observation.layers.items():
                if name in self.layers:
                    yield Seen(self._key_of(name), left.get(name, WHOLE).width, took)

    def _others(self) -> tuple[dict[str, float], float]:
        """What is no layer, in the median of trials with the network's widths.

        And what a call takes between kernels beyond the least, as a share of its layers' time.
        """
        if not self.observations:
            return {}, 0.0
        whole = [one for trial, one in self.observations.items() if not is_narrow(trial)]
        names = {name: None for one in whole for name in one.others}
        found = {name: median(one.others.get(name, 0.0) for one in whole) for name in names}
        every = self.observations.values()
        found[CALL] = least = min(one.others.get(CALL, 0.0) for one in every)
        more = [(one.others.get(CALL, 0.0) - least) / one.in_layers for one in every]
        return found, median(more)


def _around(size: float, full: int) -> list[tuple[int, float]]:
    """The widths that are asked for around `size`, each with its share in what lies between."""
    step = max(1, full // STEPS)
    low = min(max(1, int(size // step) * step), full)
    high = min(low + step, full) if low >= step else step
    if high == low or size <= low:
        return [(low, 1.0)]
    part = (size - low) / (high - low)
    return [(low, 1 - part), (high, part)]
