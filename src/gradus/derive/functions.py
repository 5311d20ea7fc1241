"""The functions of the language: their names, how many arguments, and what becomes of shapes."""

from __future__ import annotations

# entry by entry, with the number of arguments
ELEMENTWISE = {
    "exp": 1,
    "log": 1,
    "log1p": 1,
    "tanh": 1,
    "sigmoid": 1,
    "softplus": 1,
    "relu": 1,
    "abs": 1,
    "sqrt": 1,
    "sin": 1,
    "cos": 1,
    "erf": 1,
    "sign": 1,
    "step": 1,
    "huber": 2,
    "clip": 3,
    "maximum": 2,
    "minimum": 2,
}
# of whole arrays, with the number of arguments
OF_ARRAYS = {
    "sum": 1,
    "mean": 1,
    "rowsum": 1,
    "colsum": 1,
    "norm": 1,
    "max": 1,
    "softmax": 1,
    "logsumexp": 1,
    "tr": 1,
    "det": 1,
    "logdet": 1,
    "inv": 1,
    "diag": 1,
    "outer": 2,
    "cumsum": 1,
    "argmax": 1,
    "conv2d": 2,
    "conv2d_transpose": 2,
    "ones": 1,
    "eye": 1,
    "tri": 1,
}
REDUCERS = frozenset({"sum", "mean", "max", "logsumexp"})
CALLABLE = {**ELEMENTWISE, **OF_ARRAYS}
_ALIASES = {
    "σ": "sigmoid",
    "\\sigma": "sigmoid",
    "logistic": "sigmoid",
    "ln": "log",
    "trace": "tr",
    "lse": "logsumexp",
    "Σ": "sum",
    "inverse": "inv",
    "\\log": "log",
    "\\exp": "exp",
}
CONVENTIONS = {
    "relu": "relu'(0) = 0",
    "abs": "sign(0) = 0",
    "max": "where several entries are largest, the first takes the whole derivative",
    "argmax": "argmax is one-hot at the first largest entry, and flat",
    "maximum": "where both are equal, the second takes the derivative",
    "minimum": "where both are equal, the second takes the derivative",
    "step": "step(0) = 0, and its derivative is 0 elsewhere",
    "sign": "sign(0) = 0, and its derivative is 0 elsewhere",
    "clip": "at its two ends, clip has derivative 0",
}


def canonical_name(name: str) -> str | None:
    """Return the language's own name of the function ``name``, or None where there is no such function.

    Examples
    --------
    >>> canonical_name("σ"), canonical_name("trace"), canonical_name("x")
    ('sigmoid', 'tr', None)
    """
    name = _ALIASES.get(name, name)
    return name if name in CALLABLE else None
