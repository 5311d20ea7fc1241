"""What the functions of whole arrays mean in index form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.derive import algebra
from gradus.derive.binding import array_of, fresh
from gradus.derive.index_form import Apply, Index
from gradus.derive.shaped import Shaped, outer, shown_shape

if TYPE_CHECKING:
    from collections.abc import Callable


def _require(shaped: Shaped, name: str, *ranks: int) -> None:
    if len(shaped.axes) not in ranks:
        wanted = " or ".join({0: "a scalar", 1: "a vector", 2: "a matrix"}[rank] for rank in ranks)
        raise ValueError(f"{name} needs {wanted}, not {shown_shape(shaped)}")


def _require_square(shaped: Shaped, name: str) -> None:
    _require(shaped, name, 2)
    if shaped.shape[0] != shaped.shape[1]:
        raise ValueError(f"{name} needs a square matrix, not {shown_shape(shaped)}")


def _sum(x: Shaped) -> Shaped:
    if not x.axes:
        raise ValueError("sum needs an array or indices, as sum[i](x[i]), not a scalar")
    return Shaped((), algebra.sum_over(x.axes, x.body))


def _mean(x: Shaped) -> Shaped:
    total = _sum(x)
    return Shaped((), algebra.divide(total.body, algebra.multiply(*(algebra.extent(axis.size) for axis in x.axes))))


def _rowsum(x: Shaped) -> Shaped:
    _require(x, "rowsum", 2)
    return Shaped(x.axes[:1], algebra.sum_over(x.axes[1:], x.body))


def _colsum(x: Shaped) -> Shaped:
    _require(x, "colsum", 2)
    return Shaped(x.axes[1:], algebra.sum_over(x.axes[:1], x.body))


def _norm(x: Shaped) -> Shaped:
    return Shaped((), algebra.power(algebra.sum_over(x.axes, algebra.power(x.body, algebra.TWO)), algebra.HALF))


def _along_last(name: str, x: Shaped) -> Shaped:
    """Reduce the last axis of a vector or a matrix."""
    _require(x, name, 1, 2)
    return Shaped(x.axes[:-1], Apply(name, (array_of(x.axes[-1:], x.body),), ()))


def _max(*arguments: Shaped) -> Shaped:
    if len(arguments) == 2:
        first, second = arguments
        if second.axes and first.axes != second.axes and first.shape != second.shape:
            first, second = second, first
        if not first.axes and second.axes:
            first, second = second, first
        body = second.at(first.axes) if second.axes else second.body
        return Shaped(first.axes, algebra.function("maximum", first.body, body))
    if len(arguments) != 1:
        raise ValueError("max has one argument (an array) or two")
    return _along_last("max", arguments[0])


def _at_last(name: str, x: Shaped) -> Shaped:
    """Map the last axis of a vector or a matrix to one of the same size."""
    _require(x, name, 1, 2)
    last = fresh(x.axes[-1])
    return Shaped((*x.axes[:-1], last), Apply(name, (array_of(x.axes[-1:], x.body),), (last,)), row=x.row)


def _trace(x: Shaped) -> Shaped:
    _require_square(x, "tr")
    return Shaped((), algebra.sum_over(x.axes[:1], x.at((x.axes[0], x.axes[0]))))


def _determinant(name: str, x: Shaped) -> Shaped:
    _require_square(x, name)
    return Shaped((), Apply(name, (array_of(x.axes, x.body),), ()))


def _inverse(x: Shaped) -> Shaped:
    _require_square(x, "inv")
    axes = tuple(fresh(axis) for axis in x.axes)
    return Shaped(axes, Apply("inv", (array_of(x.axes, x.body),), axes))


def _diagonal(x: Shaped) -> Shaped:
    _require(x, "diag", 1, 2)
    if len(x.axes) == 1:
        other = fresh(x.axes[0])
        return Shaped((x.axes[0], other), algebra.multiply(algebra.mask("=", x.axes[0], other), x.body))
    _require_square(x, "diag")
    return Shaped(x.axes[:1], x.at((x.axes[0], x.axes[0])))


def _cumulative_sum(x: Shaped) -> Shaped:
    _require(x, "cumsum", 1)
    last = fresh(x.axes[0])
    summed = algebra.sum_over(x.axes, algebra.multiply(algebra.mask("<=", x.axes[0], last), x.body))
    return Shaped((last,), summed)


def _convolution(name: str, image: Shaped, window: Shaped) -> Shaped:
    _require(image, name, 2)
    _require(window, name, 2)
    sizes: list[int] = []
    for large, small in zip(image.shape, window.shape, strict=True):
        if not isinstance(large, int) or not isinstance(small, int):
            raise ValueError(f"{name} needs sizes in numbers, as mat(5, 5), not {shown_shape(image)}")
        size = large - small + 1 if name == "conv2d" else large + small - 1
        if size < 1:
            raise ValueError(f"the window {shown_shape(window)} is larger than the image {shown_shape(image)}")
        sizes.append(size)
    axes = tuple(fresh(Index("", size)) for size in sizes)
    arguments = (array_of(image.axes, image.body), array_of(window.axes, window.body))
    return Shaped(axes, Apply(name, arguments, axes))


ARRAY_CALLS: dict[str, Callable[..., Shaped]] = {
    "sum": _sum,
    "mean": _mean,
    "rowsum": _rowsum,
    "colsum": _colsum,
    "norm": _norm,
    "max": _max,
    "argmax": lambda x: _at_last("argmax", x),
    "softmax": lambda x: _at_last("softmax", x),
    "logsumexp": lambda x: _along_last("logsumexp", x),
    "tr": _trace,
    "det": lambda x: _determinant("det", x),
    "logdet": lambda x: _determinant("logdet", x),
    "inv": _inverse,
    "diag": _diagonal,
    "outer": outer,
    "cumsum": _cumulative_sum,
    "conv2d": lambda image, window: _convolution("conv2d", image, window),
    "conv2d_transpose": lambda image, window: _convolution("conv2d_transpose", image, window),
}
