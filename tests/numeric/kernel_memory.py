"""Memory of an interpreted kernel: what it holds, who has written what, and wrong accesses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .kernel_values import DATA, GARBAGE, ZERO, Array, is_data, states

NOBODY, SEVERAL = -1, -2
NUMBERS = np.iinfo(np.int64)


@dataclass
class Buffer:
    """Elements with the states or numbers they hold; only a result may be written.

    Attributes:
        name: for messages.
        held: an element's number or state, before the kernel runs.
        is_result: whether the kernel may write it, and therefore not read it.
        problems: a line for each kind of wrong access.
        first, last: of those who write an element, the lowest and highest number.
        lowest, highest: of the states that are written to an element, the least and greatest.
    """

    name: str
    held: Array
    is_result: bool = False
    problems: list[str] = field(default_factory=list)
    first: Array = field(init=False)
    last: Array = field(init=False)
    lowest: Array = field(init=False)
    highest: Array = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.held)
        self.first, self.last = np.full(size, NUMBERS.max), np.full(size, NOBODY)
        self.lowest, self.highest = states(size, state=GARBAGE), states(size, state=ZERO)

    def read(self, places: Array, readers: Array) -> Array:
        """What is held there, for readers of the same shape; a zero that is loaded is data.

        Places outside are noted.
        """
        if self.is_result:
            self.problems.append(f"reads {self.name}, which it is to write")
        inside = self._check("reads", places)
        found = self.held[places if inside is None else places.clip(0, len(self.held) - 1)]
        return loaded(found)

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """Note a write; all three arguments are of one shape."""
        if not self.is_result:
            self.problems.append(f"writes {self.name}, which it may only read")
        inside = self._check("writes", places)
        if inside is not None:
            places, written, writers = places[inside], written[inside], writers[inside]
        np.minimum.at(self.first, places, writers)
        np.maximum.at(self.last, places, writers)
        np.minimum.at(self.lowest, places, written)
        np.maximum.at(self.highest, places, written)

    def _check(self, verb: str, places: Array) -> Array | None:
        """Which places are inside; None if all are."""
        inside = (places >= 0) & (places < len(self.held))
        if inside.all():
            return None
        self.problems.append(outside(verb, places[~inside], self.name, len(self.held)))
        return inside

    @property
    def written(self) -> Array:
        """Which elements anybody has written."""
        return self.last != NOBODY

    @property
    def left(self) -> Array:
        """States that the kernel leaves."""
        return np.where(self.written, self.highest, GARBAGE).astype(np.int8)

    def races(self) -> list[str]:
        """Elements whose value depends on who comes last.

        Any number may write zeros to an element; what is computed only one may write, and no zeros.
        """
        computed = self.written & (self.highest > ZERO)
        several = np.flatnonzero(computed & (self.first != self.last))
        mixed = np.flatnonzero(computed & (self.lowest == ZERO))
        found = []
        if several.size:
            at = int(several[0])
            who = f"{self.first[at]} and {self.last[at]}"
            found.append(
                f"{several.size} elements of {self.name} are written by several, as {at} by {who}"
            )
        if mixed.size:
            found.append(
                f"{mixed.size} elements of {self.name} get a value and a zero, as {mixed[0]}"
            )
        return found


@dataclass
class Taken(Buffer):
    """An operand whose memory the result takes.

    Where a result is computed, what was there may be read once, by who stores the result, before.

    Attributes:
        reader: who has read an element.
        reads, writes: how often an element was read, and a computed one written.
    """

    reader: Array = field(init=False)
    reads: Array = field(init=False)
    writes: Array = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        size = len(self.held)
        self.is_result = True
        self.reader = np.full(size, NOBODY)
        self.reads, self.writes = np.zeros((2, size), np.int64)

    def read(self, places: Array, readers: Array) -> Array:
        """What was held there before the kernel ran."""
        if self._check("reads", places) is not None:
            places = places.clip(0, len(self.held) - 1)
        if self.written[places].any():
            self.problems.append(f"reads {self.name} where it has written")
        np.add.at(self.reads, places, 1)
        self.reader[places] = readers
        return loaded(self.held[places])

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """Note a write; all three arguments are of one shape."""
        super().write(places, written, writers)
        inside = (places >= 0) & (places < len(self.held)) & (written > ZERO)
        np.add.at(self.writes, places[inside], 1)

    @property
    def left(self) -> Array:
        """States that the kernel leaves: what was there, where it writes nothing."""
        return np.where(self.written, self.highest, self.held).astype(np.int8)

    def races(self) -> list[str]:
        """Elements that may be read after they are overwritten, besides those of any result."""
        exchanged = (self.writes > 0) & (self.reads > 0)
        again = exchanged & ((self.writes > 1) | (self.reads > 1))
        other = exchanged & (self.reader != self.first)
        rules = {"are read or written again": again, "are read by others than write them": other}
        return super().races() + [
            f"{found.sum()} elements of {self.name} {text}, the first is {found.argmax()}"
            for text, found in rules.items()
            if found.any()
        ]


@dataclass
class View:
    """A part of a buffer: `size` elements from `begin` on."""

    whole: Buffer | View
    begin: int
    size: int

    @property
    def problems(self) -> list[str]:
        """Those of the buffer."""
        return self.whole.problems

    def read(self, places: Array, readers: Array) -> Array:
        """As `Buffer.read`; places outside the part are noted."""
        self._check("reads", places)
        return self.whole.read(places + self.begin, readers)

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """As `Buffer.write`; places outside the part are noted."""
        self._check("writes", places)
        self.whole.write(places + self.begin, written, writers)

    def _check(self, verb: str, places: Array) -> None:
        inside = (places >= 0) & (places < self.size)
        if not inside.all():
            self.problems.append(outside(verb, places[~inside], "a part of the result", self.size))


@dataclass
class LocalVectors:
    """Vectors on the stack, which each of those who run the kernel has for itself.

    Attributes:
        name: for messages.
        held: states, those who run it x vectors x lanes; garbage until they are written.
        problems: a line for each kind of wrong access.
    """

    name: str
    held: Array
    problems: list[str] = field(default_factory=list)

    def read(self, places: Array, readers: Array) -> Array:
        """One vector for each reader; a zero that is loaded is data. Places outside are noted."""
        count = self.held.shape[1]
        inside = (places >= 0) & (places < count)
        if not inside.all():
            self.problems.append(outside("reads", places[~inside], self.name, count))
        return loaded(self.held[readers, places.clip(0, count - 1)])

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """Overwrite one vector of each writer."""
        count = self.held.shape[1]
        inside = (places >= 0) & (places < count)
        if not inside.all():
            self.problems.append(outside("writes", places[~inside], self.name, count))
        self.held[writers[inside], places[inside]] = written[inside]


@dataclass
class Scratch:
    """Memory that a kernel may read and write, each of those who run it where it alone writes.

    Attributes:
        name: for messages.
        held: states; garbage until they are written.
        problems: a line for each kind of wrong access.
        owner: who has written an element.
    """

    name: str
    held: Array
    problems: list[str] = field(default_factory=list)
    owner: Array = field(init=False)

    def __post_init__(self) -> None:
        self.owner = np.full(len(self.held), NOBODY)

    def read(self, places: Array, readers: Array) -> Array:
        """What is held there; all arguments are of one shape."""
        inside = self._check("reads", places, readers)
        return loaded(np.where(inside, self.held[places.clip(0, len(self.held) - 1)], GARBAGE))

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """Overwrite elements; all arguments are of one shape."""
        inside = self._check("writes", places, writers)
        self.held[places[inside]] = written[inside]
        self.owner[places[inside]] = writers[inside]
        if (self.owner[places[inside]] != writers[inside]).any():
            self.problems.append(f"several write elements of {self.name} at the same time")

    def _check(self, verb: str, places: Array, who: Array) -> Array:
        """Which places are inside. Those outside are noted, and those that another has written."""
        count = len(self.held)
        inside: Array = (places >= 0) & (places < count)
        if not inside.all():
            self.problems.append(outside(verb, places[~inside], self.name, count))
        owner = self.owner[places.clip(0, count - 1)]
        foreign = inside & (owner != NOBODY) & (owner != who)
        if foreign.any():
            at, whose = places[foreign][0], owner[foreign][0]
            self.problems.append(f"{verb} element {at} of {self.name}, which {whose} has written")
        return inside


@dataclass
class Shared:
    """Memory of workgroups: threads read what others have written before a barrier.

    Attributes:
        name: for messages.
        held: states, workgroups x elements; garbage until they are written.
        threads: of a workgroup.
        problems: a line for each kind of wrong access.
        owner, reader: who has written and read an element since the last barrier.
    """

    name: str
    held: Array
    threads: int
    problems: list[str] = field(default_factory=list)
    owner: Array = field(init=False)
    reader: Array = field(init=False)

    def __post_init__(self) -> None:
        self.barrier()

    def barrier(self) -> None:
        """All threads of a workgroup have come here."""
        self.owner = np.full(self.held.shape, NOBODY)
        self.reader = np.full(self.held.shape, NOBODY)

    def read(self, places: Array, readers: Array) -> Array:
        """An element for each reader. What others write before the next barrier is noted."""
        groups, places = self._check("reads", places, readers)
        self._note_readers(groups, places, readers)
        return loaded(self.held[groups, places])

    def _note_readers(self, groups: Array, places: Array, readers: Array) -> None:
        before = self.reader[groups, places].copy()
        self.reader[groups, places] = readers
        alone = self.reader[groups, places] == readers
        several = ~alone | ((before != NOBODY) & (before != readers))
        self.reader[groups[several], places[several]] = SEVERAL

    def write(self, places: Array, written: Array, writers: Array) -> None:
        """Overwrite an element of each writer's workgroup."""
        groups, places = self._check("writes", places, writers)
        reader = self.reader[groups, places]
        if (foreign := (reader != NOBODY) & (reader != writers)).any():
            told = f"element {places[foreign][0]} of {self.name}"
            self.problems.append(f"writes {told}, which others have read since the last barrier")
        self.held[groups, places] = written
        self.owner[groups, places] = writers
        if (self.owner[groups, places] != writers).any():
            self.problems.append(f"several write elements of {self.name} at the same time")

    def _check(self, verb: str, places: Array, who: Array) -> tuple[Array, Array]:
        """Workgroups and elements, moved inside."""
        groups, count = who // self.threads, self.held.shape[1]
        inside = (places >= 0) & (places < count)
        if not inside.all():
            self.problems.append(outside(verb, places[~inside], self.name, count))
        places = places.clip(0, count - 1)
        owner = self.owner[groups, places]
        foreign = (owner != NOBODY) & (owner != who)
        if foreign.any():
            told = f"{places[foreign][0]} of {self.name}, which {owner[foreign][0]} has written"
            self.problems.append(f"{verb} element {told} since the last barrier")
        return groups, places


def loaded(found: Array) -> Array:
    """What a load gives: a zero in memory is data like any other."""
    return np.maximum(found, np.int8(DATA)) if is_data(found) else found


def outside(verb: str, places: Array, name: str, count: int) -> str:
    """A line about places that do not exist."""
    return f"{verb} element {places.flat[0]} of {name}, which has {count}"
