"""What layers of a network cost on a target, and whole networks: `niwaki.layer_costs` with answers.

settings of layers --> what is left of each once channels are trimmed (`widths.py`)
                   --> what each takes (`layer_times.py`), and what is no layer
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from niwaki.errors import NiwakiError
from niwaki.layer_costs import DENSE, LayerForm, Setting

from .corrections import Corrections, Seen
from .layer_times import REMOVED, LayerTimes
from .observation import CALL, Observation
from .rates import RATES
from .store import Store
from .subject import Subject
from .trials import is_narrow
from .tuned import Tuned
from .widths import WHOLE, Left, Widths

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
        tuned: layers that were measured alone, on this machine.
    """

    subject: Subject
    store: Store
    trials: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    observations: Mapping[str, Observation] = field(default_factory=dict)
    tuned: Tuned = field(default_factory=Tuned)

    def __post_init__(self) -> None:
        self._times = LayerTimes(self.subject, self.store, self.tuned)
        self.layers: dict[str, LayerForm] = self._times.layers
        self._widths = Widths(self.subject.imported.module.operation)
        self._times.corrections = Corrections(self._seen())
        self.others, self._between = self._others()
        self._closed = False

    def close(self) -> None:
        """The network goes, and with it all that is asked about it."""
        self._closed = True

    def seconds(self, layer: str, setting: Setting) -> float:
        """How long a layer takes; infinite where the setting is impossible.

        Raises:
            NiwakiError: there is no such layer or scheme, or it cannot have such widths; or the
                block of `niwaki.costs.price.priced` is over.
        """
        self._check_open()
        return self._times.seconds(layer, setting)

    def network(self, settings: Mapping[str, Setting]) -> float:
        """How long a call takes with these layers so, and all others dense.

        Channels that settings leave unread or zero are trimmed. What is no layer takes what it does
        in the dense network, or as much less as the layer for which it is, a copy of its input say,
        reads fewer channels; what no kernel takes grows with the layers' time, as caches tell.

        Raises:
            NiwakiError: as `seconds` does.
        """
        self._check_open()
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

    def _check_open(self) -> None:
        if self._closed:
            raise NiwakiError("costs were asked for behind `with priced(...)`: ask in its block")

    def _trimmed(self, layer: str, setting: Setting, left: Left) -> float:
        """A layer of which no more is left."""
        form = self.layers[layer]
        own = replace(setting, filters=None, channels=None)
        if left == WHOLE and own.scheme in REMOVED and own.rate > 1:
            return self._times.at(layer, own)  # what is zero stays: others need its place
        if left == WHOLE:
            return self.seconds(layer, own)
        if own.scheme == DENSE or own.scheme in REMOVED:
            return self._narrow(layer, left.filters * form.filters, left.channels * form.channels)
        # What is left of the weights is multiplied as in a layer that keeps so few; the rest of the
        # time, mostly that of storing results, follows the filters.
        fewest = self._times.seconds(layer, replace(own, rate=RATES[-1]), left.width)
        seconds = self._times.seconds(layer, own, left.width)
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

    def _seen(self) -> Iterator[Seen]:
        """What was measured of single layers, in all trials."""
        for trial, observation in self.observations.items():
            left = self._widths.of(self.trials[trial])
            for name, took in observation.layers.items():
                if name in self.layers:
                    yield Seen(self._times.key_of(name), left.get(name, WHOLE).width, took)

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
