"""The two faces of the check: torch's call, and the fixture."""

import pytest
import torch

from gradus.check import GradientError, gradcheck

pytest_plugins = ["pytester"]


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.exp()

    @staticmethod
    def backward(ctx, upstream):
        return upstream


def test_gradcheck_says_yes_raises_or_says_no():
    x = torch.linspace(-1, 1, 7, requires_grad=True)
    assert gradcheck(torch.exp, (x,))
    assert not gradcheck(Wrong.apply, (x,), raise_exception=False)
    with pytest.raises(GradientError, match="input 0"):
        gradcheck(Wrong.apply, x)


def test_the_fixture_fails_a_test_and_says_where(pytester):
    pytester.makepyfile(
        """
        import torch
        def test_right(gradus_check):
            gradus_check(torch.sin, None, torch.linspace(0, 1, 5))
        def test_wrong(gradus_check):
            gradus_check(torch.sin, lambda u, x: -u * x.cos(), torch.linspace(0, 1, 5))
        """
    )
    # the plugin comes with the installed package; where it is not installed it is named
    done = pytester.runpytest("-p", "gradus.check.pytest_plugin", "-p", "no:gradus")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*wrong sign: the gradient of input 0*"])
