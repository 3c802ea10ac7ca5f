"""The trials of a study as a picture: objective against cost, with the front and the limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from niwaki.printable import printable

from .results import Results, Trial
from .space import short, told

# In units of the picture, which is shown at most one and a half times as large, and on a phone at
# four fifths: letters are readable on both.
WIDTH, HEIGHT = 420, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 46
TICKS = 5
APART = 0.06  # of an axis: around the outermost points
HUGE = 1e300  # numbers further from zero are drawn as if they were this far


def front_plot(results: Results) -> str:
    """An SVG picture; without limits, of objective against the number of the trial."""
    cost = results.cost
    trials, front, best = results.done, results.front, results.best

    def across(trial: Trial) -> float:
        return float(trial.number) if cost is None else trial.costs[cost]

    most = results.limits[cost] if cost else None
    x_axis = Axis([*map(across, trials), *([most] if most else [])], LEFT, WIDTH - RIGHT)
    y_axis = Axis([trial.objective for trial in trials], HEIGHT - BOTTOM, TOP)
    objective = next(iter(best.scores))

    def drawn() -> Iterator[str]:
        for tick in x_axis.ticks():
            yield _line(x_axis(tick), TOP, x_axis(tick), HEIGHT - BOTTOM, "grid")
            yield _text(x_axis(tick), HEIGHT - BOTTOM + 16, short(tick), "middle")
        for tick in y_axis.ticks():
            yield _line(LEFT, y_axis(tick), WIDTH - RIGHT, y_axis(tick), "grid")
            yield _text(LEFT - 6, y_axis(tick) + 4, short(tick), "end")
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, cost or "trial", "middle")
        yield _text(LEFT, TOP - 3, objective, "start")
        if most:
            yield _line(x_axis(most), TOP, x_axis(most), HEIGHT - BOTTOM, "limit")
            yield _text(x_axis(most) - 4, HEIGHT - BOTTOM - 5, f"limit {short(most)}", "end")
        places = [(x_axis(across(trial)), y_axis(trial.objective)) for trial in front]
        if cost is not None:
            yield f'<path class="front" d="{_stairs(places)}"/>'
        on = {trial.number for trial in front}
        # The last ones are drawn over the others.
        for trial in sorted(trials, key=lambda one: (one is best, one.number in on)):
            kind = "best" if trial is best else "on" if trial.number in on else "off"
            place = x_axis(across(trial)), y_axis(trial.objective)
            yield _point(place, kind, f"trial {trial.number}: {told(trial.point)}")

    label = escape(printable(f"{objective} against {cost or 'trial'}"))
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return "\n".join([head, *drawn(), "</svg>"])


class Axis:
    """Where numbers stand between `start` and `end` of the picture."""

    def __init__(self, numbers: list[float], start: float, end: float) -> None:
        shown = [min(max(number, -HUGE), HUGE) for number in numbers]
        low, high = min(shown), max(shown)
        room = max(APART * (high - low) or APART * abs(high) or APART, 1 / HUGE)
        self.low, self.high = low - room, high + room
        self._start, self._end = start, end

    def __call__(self, number: float) -> float:
        share = (min(max(number, -HUGE), HUGE) - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """A few round numbers."""
        rough = (self.high - self.low) / TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
        first = math.ceil(self.low / step)
        return [step * place for place in range(first, math.floor(self.high / step) + 1)]


def _stairs(places: list[tuple[float, float]]) -> str:
    """The border of what is reached: level to the next point, then up to it."""
    (x, y), *others = places
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in others)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(printable(text))}</text>'


def _point(place: tuple[float, float], kind: str, title: str) -> str:
    radius = {"best": 6, "on": 4.5, "off": 3}[kind]
    x, y = place
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
        f"<title>{escape(printable(title))}</title></circle>"
    )
