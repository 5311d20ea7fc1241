"""A pytest fixture that fails a test where a gradient is wrong, and says where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.check.settings import Settings


class GradientCheck(Protocol):
    """What the fixture is."""

    def __call__(
        self, function: Any, pullback: Callable[..., Any] | None, *inputs: Any, settings: Settings | None = None
    ) -> None:
        """Fail the test where the gradient is wrong; the arguments are those of ``check_gradient``."""


@pytest.fixture
def gradus_check() -> GradientCheck:
    """Return ``check_gradient`` as an assertion."""
    from gradus.check.gradient import check_gradient

    def check(
        function: Any, pullback: Callable[..., Any] | None, *inputs: Any, settings: Settings | None = None
    ) -> None:
        __tracebackhide__ = True
        verdict = check_gradient(function, pullback, *inputs, settings=settings)
        if not verdict:
            pytest.fail(str(verdict), pytrace=False)

    return check
