"""A call's arguments as the flat list of arrays that the compiled function takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.signature import Signature, TensorSpec, Tree


def bind(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[np.ndarray]:
    """The arrays of a call, in the order of `signature.inputs`; values are never cast.

    Arguments nest as they did when the model was compiled, or are the flat tensors themselves, all
    positional.

    Raises:
        NiwakiError: the nesting, the number of inputs, a shape or a dtype is wrong.
    """
    leaves = leaves_of(signature, args, kwargs)
    return [checked(spec, leaf) for spec, leaf in zip(signature.inputs, leaves, strict=True)]


def leaves_of(
    signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Sequence[Any]:
    """What was given for each input, unchecked; errors as of `bind`, about nesting and number."""
    return args if _is_flat(signature, args, kwargs) else _match_call(signature, args, kwargs)


def _is_flat(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    return (
        not kwargs
        and len(args) == len(signature.inputs)
        and not any(arg is None or isinstance(arg, (tuple, list, dict)) for arg in args)
    )


def _match_call(signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    assert isinstance(signature.input_tree, dict)
    positional, keyword = signature.input_tree["tuple"]
    if len(args) != len(positional["tuple"]) or kwargs.keys() != keyword["dict"].keys():
        raise NiwakiError(f"expected {_expected(signature)}; got {_count(len(args), kwargs)}")
    leaves: list[Any] = [None] * len(signature.inputs)
    for i, (tree, value) in enumerate(zip(positional["tuple"], args, strict=True)):
        _match(tree, value, f"argument {i + 1}", leaves)
    for name, tree in keyword["dict"].items():
        _match(tree, kwargs[name], f"argument '{name}'", leaves)
    return leaves


def _match(tree: Tree, value: Any, where: str, leaves: list[Any]) -> None:
    """Put the tensors of `value` where `tree` says."""
    if isinstance(tree, int):
        if value is None or isinstance(value, (tuple, list, dict)):
            raise NiwakiError(f"{where} must be one array, got {_kind(value)}")
        leaves[tree] = value
        return
    if tree is None:
        if value is not None:
            raise NiwakiError(f"{where} must be None, as it was when the model was compiled")
        return
    ((kind, children),) = tree.items()
    if kind == "dict":
        if not isinstance(value, dict) or value.keys() != children.keys():
            raise NiwakiError(
                f"{where} must be a dict with keys {', '.join(children)}, got {_kind(value)}"
            )
        for key, child in children.items():
            _match(child, value[key], f"{where}['{key}']", leaves)
        return
    if not isinstance(value, (tuple, list)) or len(value) != len(children):
        raise NiwakiError(f"{where} must be a {kind} of {len(children)}, got {_kind(value)}")
    for i, child in enumerate(children):
        _match(child, value[i], f"{where}[{i}]", leaves)


def checked(spec: TensorSpec, value: Any) -> np.ndarray:
    """An input as an array.

    Raises:
        NiwakiError: it is none, or its shape or dtype is wrong.
    """
    try:
        array = np.asarray(value)
    except (
        Exception
    ) as error:  # whatever the value's own `__array__` raises, a PyTorch tensor's for one
        reason = str(error).partition("\n")[0]
        raise NiwakiError(
            f"input '{spec.name}' cannot be read as a numpy array: {reason}"
        ) from None
    if array.dtype != spec.kind or array.shape != spec.shape:
        expected = f"{spec.dtype} of shape {_shape(spec.shape)}"
        got = f"{array.dtype} of shape {_shape(array.shape)}"
        raise NiwakiError(f"input '{spec.name}' must be {expected}, got {got}")
    return array


def _expected(signature: Signature) -> str:
    assert isinstance(signature.input_tree, dict)
    positional, keyword = signature.input_tree["tuple"]
    count = _count(len(positional["tuple"]), keyword["dict"])
    return f"{count} ({', '.join(map(str, signature.inputs))})" if signature.inputs else count


def _count(positional: int, keyword: Mapping[str, Any]) -> str:
    """For example ``2 positional arguments and keyword arguments mask, scale``."""
    text = f"{positional} positional argument{'' if positional == 1 else 's'}"
    if not keyword:
        return text
    return f"{text} and keyword argument{'' if len(keyword) == 1 else 's'} {', '.join(keyword)}"


def _kind(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return f"a dict with keys {', '.join(map(str, value))}" if value else "an empty dict"
    return "None" if value is None else "one array"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) if shape else "() (a scalar)"
