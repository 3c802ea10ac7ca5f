"""Which settings of a network are measured, so that estimates of others can be corrected.

    trial      conv1               conv2               conv3
    0          dense               dense               dense
    1          block_punched 3x    pattern 6x          unstructured 6x
    2          pattern 6x          unstructured 6x     block_punched 3x
    ...

Each layer is seen once in each setting, beside others in other ones, so that few bundles tell what
each family of kernels takes for each layer, within the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from niwaki.layer_costs import DENSE, LayerForm, Setting
from niwaki.progress import Progress
from niwaki.pruning import parse_scheme
from niwaki.runtime.bundle import Bundle
from niwaki.schemes import SchemeError
from niwaki.temporary import temporary_folder

from .observation import Observation, Observer, least
from .store import Store
from .subject import Subject

# Rates of the trials of each scheme: kernels behave differently with few and with many zeros.
RATES = (3.0, 9.0)
DENSE_TRIAL, NARROWER = "dense", "narrow "
# Trials of a network whose layers keep so much of their widths: narrow layers find their data in
# nearer caches.
NARROW, NARROW_TRIALS = 5 / 8, 3


def trials(
    layers: Mapping[str, LayerForm], schemes: Sequence[str]
) -> dict[str, dict[str, Setting]]:
    """Settings of layers by the name of the trial."""
    options = [Setting(scheme, rate) for rate in RATES for scheme in schemes if scheme != DENSE]
    found: dict[str, dict[str, Setting]] = {DENSE_TRIAL: {}}
    for turn in range(len(options)):
        found[f"{','.join(map(str, options))} {turn}"] = _mixed(layers, options, turn)
    for turn in range(NARROW_TRIALS):
        mixed = _mixed(layers, [*options, Setting()], turn)
        narrow = {name: _narrow(mixed.get(name, Setting()), form) for name, form in layers.items()}
        found[f"{NARROWER}{','.join(map(str, options))} {turn}"] = narrow
    return found


def _mixed(
    layers: Mapping[str, LayerForm], options: Sequence[Setting], turn: int
) -> dict[str, Setting]:
    """Each layer in another of the options, as far as they fit; depthwise ones stay dense."""
    prunable = [name for name, form in layers.items() if not form.is_depthwise]
    chosen = {name: options[(turn + number) % len(options)] for number, name in enumerate(prunable)}
    return {name: setting for name, setting in chosen.items() if fits(setting, layers[name])}


def _narrow(setting: Setting, form: LayerForm) -> Setting:
    """A layer of a network that is narrower throughout; trimming sees to its ends.

    Dense where it has too few weights left for the setting.
    """
    filters = max(1, round(NARROW * form.filters))
    channels = form.channels if form.groups > 1 else max(1, round(NARROW * form.channels))
    left = replace(form, filters=filters, channels=channels)
    kept = setting if fits(setting, left) else Setting()
    return replace(kept, filters=filters, channels=channels)


def is_narrow(trial: str) -> bool:
    """Whether a trial is of a narrower network."""
    return trial.startswith(NARROWER)


def fits(setting: Setting, form: LayerForm) -> bool:
    """Whether a layer's weights can be pruned so."""
    if setting.scheme == DENSE:
        return True
    try:
        parse_scheme(setting.scheme).check(
            (form.filters, form.channels, form.taps), form.groups, setting.rate
        )
    except SchemeError:
        return False
    return True


def observe(
    subject: Subject,
    store: Store,
    wanted: Mapping[str, Mapping[str, Setting]],
    observer: Observer,
    progress: Progress,
    turns: int = 1,
) -> dict[str, Observation]:
    """What the network takes in each of the `wanted` trials; each that is measured is kept at once.

    Args:
        turns: how often all of them are measured, one after the other.

    Raises:
        NiwakiError: a network cannot be measured.
    """
    known = store.observations(subject.key)
    bundles: dict[str, Bundle] = {}
    with temporary_folder() as folder:
        for turn in range(turns):
            for number, (trial, settings) in enumerate(wanted.items(), 1):
                name = _in_turn(trial, turn)
                if name in known:
                    continue
                if trial not in bundles:
                    progress.layer(f"compile {number}/{len(wanted)}")
                    path = Path(folder) / f"{number}.niwaki"
                    bundles[trial] = subject.compiled(settings, path)
                progress.layer(f"measure {number}/{len(wanted)}")
                known[name] = observer(bundles[trial])
                store.note_observation(subject.key, name, known[name])
    return {
        trial: least([known[_in_turn(trial, turn)] for turn in range(turns)]) for trial in wanted
    }


def _in_turn(trial: str, turn: int) -> str:
    """What a trial is called in the file: each turn is kept when it is over."""
    return f"{trial} in turn {turn}"
