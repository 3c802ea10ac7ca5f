"""IREE's input without the bodies of our kernels, which stand aside until it generates code.

    func.func @conv_0(%arg0: !stream.binding) {
      %0 = "stream.binding.subspan"(%arg0, ...)
      %1 = "stream.dispatch.workgroup.id"() {...}
      %2 = memref.load %0[%1]
      ...
      return
    }
      -->
    func.func @conv_0(%arg0: !stream.binding) {
      %0 = "stream.binding.subspan"(%arg0, ...)
      %1 = "stream.dispatch.workgroup.id"() {...}
      func.call @conv_0.body(%0, %1) : (memref<?xf32>, index) -> ()
      return
    }
    func.func private @conv_0.body(memref<?xf32>, index)

Each of some hundred passes with which IREE schedules a network and plans its memory walks through
all kernels, though it has nothing to do there: a third of its time. A call is as good for these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# As `emit-iree` makes kernels: first what they ask for, at its end the workgroup's last number.
_KERNEL = re.compile(
    r"(?P<head>^ +func\.func @(?P<name>[\w$.]+)\(%\w+: !stream\.binding.*?"
    r'"stream\.dispatch\.workgroup\.id"\(\) \{dimension = 2 : index\}[^\n]*\n)'
    r"(?P<body>.*?)"
    r"(?P<tail>^ +return[^\n]*\n +\}[^\n]*\n)",
    re.DOTALL | re.MULTILINE,
)
_VALUE = re.compile(r"%[\w$.]+")
_ASKED_FOR = re.compile(r"^ +(%\w+) = .*?(memref<.*>|index)(?: loc\(.*\))?$", re.MULTILINE)
_CALL = re.compile(r"^ *(?:func\.)?call @([\w$.]+)\.body\((.*?)\)[^\n]*\n", re.MULTILINE)
_DECLARATION = re.compile(r"^ *func\.func private @[\w$.]+\.body\([^\n]*\n", re.MULTILINE)
# Before the names of a body's values: the function it comes back to has others.
_PREFIX = "%body."


@dataclass(frozen=True)
class Body:
    """What a kernel does.

    Attributes:
        text: its ops.
        arguments: names in `text` of the values from outside.
    """

    text: str
    arguments: tuple[str, ...]


def take_bodies(text: str) -> tuple[str, dict[str, Body]]:
    """IREE's input with calls for the bodies of kernels, and the bodies by the kernels' names."""
    bodies: dict[str, Body] = {}

    def take(kernel: re.Match[str]) -> str:
        head, name, body, tail = kernel.group("head", "name", "body", "tail")
        used = set(_VALUE.findall(body))
        asked = [(value, kind) for value, kind in _ASKED_FOR.findall(head) if value in used]
        values, kinds = zip(*asked, strict=True) if asked else ((), ())
        bodies[name] = Body(body.replace("%", _PREFIX), tuple(_inside(value) for value in values))
        types = f"({', '.join(kinds)})"
        call = f"func.call @{name}.body({', '.join(values)}) : {types} -> ()\n"
        return f"{head}{call}{tail}func.func private @{name}.body{types}\n"

    return _KERNEL.sub(take, text), bodies


def put_bodies(text: str, bodies: dict[str, Body]) -> str:
    """The inverse of `take_bodies`, also of what IREE has made of the text."""

    def put(call: re.Match[str]) -> str:
        body, values = bodies[call[1]], call[2].split(", ")
        places = dict(zip(body.arguments, values, strict=True)) if body.arguments else {}
        return _VALUE.sub(lambda value: places.get(value[0], value[0]), body.text)

    return _CALL.sub(put, _DECLARATION.sub("", text))


def _inside(value: str) -> str:
    """What a value is called in a body."""
    return value.replace("%", _PREFIX)
