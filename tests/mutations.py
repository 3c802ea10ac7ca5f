"""Files made a little wrong, in ways that accidents and bad will have. The same seed, the same way.

Bytes alone hardly get beyond a digest, so members of a zip archive and values of JSON are changed
too, by those who know how to put them together again (`fuzz_bundles.py`, `fuzz_pt2.py`).
"""

from __future__ import annotations

import copy
import json
import random
import struct
from typing import Any

# Where arithmetic and conversions end, and what parsers take for something else.
NUMBERS: list[Any] = [
    0, 1, -1, 2, 7, 63, 255, 256, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64,
    -(2**63), 10**30, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"),
]  # fmt: skip
TEXTS = [
    "", " ", "x", "0", "-1", "null", "main", "module.main", "../x", "/etc/passwd", "a\0b",
    "\x1b[2J", "{}", "{{7*7}}", "<script>", "[red]", "%s", "é", "\u202e", "\ud800",
    "x" * 10_000, "f" * 64,
    "float64", "float32", "int64", "bool", "vulkan", "local", "conv 3x3", "gather_gemm 8x3x16",
]  # fmt: skip
OTHERS: list[Any] = [None, True, False, [], {}, [[]], {"a": 1}, [0], [0, 0], {"tuple": [0]}]


def mutated_bytes(random: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """Flipped, cut, doubled, moved, erased, or continued with `other`."""
    if not data:
        return random.randbytes(8)
    changed = bytearray(data)
    begin = random.randrange(len(data))
    end = min(len(data), begin + 1 + int(random.expovariate(1 / 40)))
    match random.randrange(8):
        case 0 | 1 | 2:
            for _ in range(random.choice((1, 1, 2, 8))):
                changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
        case 3:
            return data[:begin]
        case 4:
            changed[begin:end] = random.randbytes(random.choice((0, end - begin, 100)))
        case 5:
            changed[begin:begin] = data[begin:end]
        case 6:
            changed[begin:end] = bytes(end - begin)
        case 7:
            return data[:begin] + other[begin:]
    return bytes(changed)


def mutated_fields(random: random.Random, data: bytes) -> bytes:
    """Some aligned integers of 2, 4 or 8 bytes are others."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        kind = random.choice(("<H", "<I", "<Q"))
        size = struct.calcsize(kind)
        if size > len(data):
            continue
        at = random.randrange(0, len(data) - size + 1, 2)
        (old,) = struct.unpack_from(kind, data, at)
        numbers = [old + 1, old - 1, old * 2, old + 64, len(data), *NUMBERS[:16]]
        struct.pack_into(kind, changed, at, random.choice(numbers) % 2 ** (8 * size))
    return bytes(changed)


def mutated_json(random: random.Random, value: Any) -> Any:
    """One to three of its values are others, gone, doubled or misnamed."""
    changed = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            break
        # Containers are few, and lists of numbers many: choose the depth first.
        depth = random.choice(sorted({len(place) for place in places}))
        _change(random, changed, random.choice([p for p in places if len(p) == depth]))
    return changed


def mutated_text(random: random.Random, text: bytes) -> bytes:
    """JSON of which single tokens are what a parser may not expect."""
    tokens = [b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 3000, b'{"a":1,"a":2}', b"\xff"]
    tokens += [b'"\\ud800"', b"\xef\xbb\xbf", b"\0", b"//", b",", b"1.0", b"-0"]
    at = random.randrange(len(text))
    end = at + random.choice((0, 1, 1, 4))
    return text[:at] + random.choice(tokens) + text[end:]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Any:
    """The keys that lead to each value inside."""
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*place, key)
            yield from _places(value[key], (*place, key))


def _change(random: random.Random, value: Any, place: tuple[Any, ...]) -> None:
    *path, last = place
    for key in path:
        value = value[key]
    old = value[last]
    choice = random.randrange(10)
    if choice < 6:
        value[last] = _of_same_kind(random, old)
    elif choice == 6:
        del value[last]
    elif choice == 7 and isinstance(value, dict):
        value[random.choice(TEXTS)] = value.pop(last)
    elif choice == 7:
        value.insert(last, copy.deepcopy(old))
    else:
        value[last] = copy.deepcopy(random.choice([*NUMBERS, *TEXTS, *OTHERS]))


def _of_same_kind(random: random.Random, old: Any) -> Any:
    """Another value, which gets further than one of another type."""
    if isinstance(old, bool) or old is None:
        return not old
    if isinstance(old, int):
        return random.choice([old + 1, old - 1, old + 64, *NUMBERS[:14]])
    if isinstance(old, float):
        return random.choice(NUMBERS)
    if isinstance(old, str):
        cut = old[: random.randrange(len(old))] if old else ""
        return random.choice([*TEXTS, cut, old + old, old.upper(), old.replace("0", "1")])
    if isinstance(old, list):
        return random.choice([[], old[:-1], old[::-1], old + old, old[:1] * 9])
    return {} if random.randrange(2) else dict(reversed(old.items()))


def to_json(value: Any) -> bytes:
    """As JSON; infinite numbers and halves of characters too, which JSON does not really have."""
    return json.dumps(value).encode()
