"""What is done to each layer, as plain data: kept in files as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from niwaki.arguments import check_number, given
from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError

from ..scheme import parse_scheme
from ..schemes import Unstructured

LEAST_BITS, MOST_BITS = 2, 8
FLOAT_BITS = 32


@dataclass(frozen=True)
class LayerSetting:
    """How a layer is pruned and quantised.

    Attributes:
        scheme: of pruning, with its parameters.
        rate: all weights / kept weights; 1 leaves the layer dense.
        weight_bits, activation_bits: of weights and of the layer's input, 2 to 8; 32 leaves them
            as they are.

    Raises:
        NiwakiError: a value is not what it must be.
    """

    scheme: str = Unstructured.name
    rate: float = 1.0
    weight_bits: int = MOST_BITS
    activation_bits: int = MOST_BITS

    def __post_init__(self) -> None:
        parse_scheme(self.scheme)
        check_number("rate", self.rate, "a number from 1 on", 1)
        check_bits("weight_bits", self.weight_bits)
        check_bits("activation_bits", self.activation_bits)


Settings = Mapping[str, LayerSetting]  # by names of layers


def check_bits(name: str, bits: object) -> None:
    """Raises NiwakiError where it is no width that can be simulated."""
    whole = isinstance(bits, int) and not isinstance(bits, bool)
    if not whole or bits not in (*range(LEAST_BITS, MOST_BITS + 1), FLOAT_BITS):
        raise NiwakiError(
            f"{name} is {LEAST_BITS} to {MOST_BITS}, or {FLOAT_BITS} for floats, not {given(bits)}"
        )


def save_settings(settings: Settings, path: str | os.PathLike[str]) -> None:
    """Write them as JSON: ``{"conv1": {"scheme": "filter", "rate": 1.3, ...}}``.

    Raises:
        NiwakiError: the file cannot be written.
    """
    content = {name: asdict(setting) for name, setting in settings.items()}
    with atomic_file(path) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())


def load_settings(path: str | os.PathLike[str]) -> dict[str, LayerSetting]:
    """Read what `save_settings` wrote.

    Raises:
        NiwakiError: no such file, or it holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {name: LayerSetting(**values) for name, values in content.items()}
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
    except NiwakiError as error:
        raise NiwakiError(f"{path}: {error}") from None
    except (AttributeError, TypeError, ValueError):
        raise NiwakiError(
            f'{path}: expected {{"layer": {{"scheme": ..., "rate": ..., "weight_bits": ..., '
            '"activation_bits": ...}}, as save_settings writes it'
        ) from None
