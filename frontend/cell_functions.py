"""Activations of recurrent layers, on one number: those that ONNX names, with their factors."""

from __future__ import annotations

from collections.abc import Callable

from torch_mlir import ir
from torch_mlir.dialects import arith, math

# From the argument and the factors, the result.
Function = Callable[..., ir.Value]


def number(value: float, like: ir.Value) -> ir.Value:
    """A constant of the type of `like`; a whole number would become an integer."""
    return arith.constant(like.type, float(value))


def bounded(x: ir.Value, bound: float) -> ir.Value:
    """From -bound to bound; NaN stays."""
    return arith.minimumf(arith.maximumf(x, number(-bound, x)), number(bound, x))


def affine(x: ir.Value, alpha: float, beta: float) -> ir.Value:
    return arith.addf(arith.mulf(x, number(alpha, x)), number(beta, x))


def elu(x: ir.Value, alpha: float) -> ir.Value:
    return _above(x, 0, x, arith.mulf(math.expm1(x), number(alpha, x)))


def hard_sigmoid(x: ir.Value, alpha: float, beta: float) -> ir.Value:
    line = arith.minimumf(affine(x, alpha, beta), number(1, x))
    return arith.maximumf(line, number(0, x))


def leaky_relu(x: ir.Value, alpha: float) -> ir.Value:
    return _above(x, 0, x, arith.mulf(x, number(alpha, x)))


def relu(x: ir.Value) -> ir.Value:
    return arith.maximumf(x, number(0, x))


def scaled_tanh(x: ir.Value, alpha: float, beta: float) -> ir.Value:
    return arith.mulf(math.tanh(arith.mulf(x, number(beta, x))), number(alpha, x))


def sigmoid(x: ir.Value) -> ir.Value:
    one = number(1, x)
    return arith.divf(one, arith.addf(math.exp(arith.negf(x)), one))


def softplus(x: ir.Value) -> ir.Value:
    """log(1 + exp(x)) without exp of what is large."""
    return arith.addf(relu(x), math.log1p(math.exp(arith.negf(math.absf(x)))))


def softsign(x: ir.Value) -> ir.Value:
    return arith.divf(x, arith.addf(math.absf(x), number(1, x)))


def thresholded_relu(x: ir.Value, alpha: float) -> ir.Value:
    return _above(x, alpha, x, number(0, x))


def _above(x: ir.Value, bound: float, then: ir.Value, otherwise: ir.Value) -> ir.Value:
    is_above = arith.cmpf(arith.CmpFPredicate.OGT, x, number(bound, x))
    return arith.select(is_above, then, otherwise)


FUNCTIONS: dict[str, Function] = {
    "affine": affine,
    "elu": elu,
    "hardsigmoid": hard_sigmoid,
    "leakyrelu": leaky_relu,
    "relu": relu,
    "scaledtanh": scaled_tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "softsign": softsign,
    "tanh": math.tanh,
    "thresholdedrelu": thresholded_relu,
}
