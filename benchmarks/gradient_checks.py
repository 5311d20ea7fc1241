"""How many wrong backward passes each checker of gradients catches, and how many right ones it blames."""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from benchmarks.measure import Findings, Table, Target, median
from gradus.check import check_gradient

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from check.corpus import RIGHT, WRONG

if TYPE_CHECKING:
    from collections.abc import Callable

    from check.corpus.sample import Sample

CAUGHT, NAMED, SECONDS = 0.97, 0.70, 3.0
LARGE = 1_000_000


class Score(NamedTuple):
    """What one checker said of the whole corpus."""

    caught: int
    blamed: int
    seconds: float


def run() -> Findings:
    """Let every checker judge every sample."""
    checkers: dict[str, Callable[[Sample], bool]] = {
        "gradus": lambda sample: bool(check_gradient(sample.function, sample.pullback, *sample.inputs)),
        "torch gradcheck": lambda sample: torch_says(sample, fast=False),
        "torch gradcheck, fast mode": lambda sample: torch_says(sample, fast=True),
    }
    if importlib.util.find_spec("jax"):
        checkers["jax check_grads"] = jax_says
    scores = {name: score(checker) for name, checker in checkers.items()}
    named = sum(first_kind(sample) in sample.kinds for sample in WRONG)
    seconds = large()
    rows = [
        (name, found.caught, found.caught / len(WRONG), found.blamed, found.seconds) for name, found in scores.items()
    ]
    ours = scores["gradus"]
    share = ours.caught / len(WRONG)
    return Findings(
        title="Gradient checks",
        conditions=[
            f"{len(WRONG)} wrong backward passes over {len({s.operator for s in WRONG})} operators and "
            f"{len(RIGHT)} right ones (tests/check/corpus), every checker in its default settings.",
            "torch's and JAX's checkers are given float64 inputs, as they ask for; JAX calls the same functions back.",
            "The corpus was written beside the checker; it is no sample of the mistakes that people make.",
        ],
        tables=[
            Table("The corpus", ("checker", "caught", "share", "right ones blamed", "seconds"), rows),
            Table("Diagnosis", ("what", "figure"), [("first finding names the mistake", f"{named} of {len(WRONG)}")]),
            Table("Size", ("what", "seconds"), [(f"tanh of {LARGE:,} float32 numbers, all situations", seconds)]),
        ],
        targets=[
            Target(f"wrong ones caught, at least {CAUGHT:.0%}", share, share >= CAUGHT),
            Target("right ones blamed", float(ours.blamed), ours.blamed == 0),
            Target(f"named, of the caught, at least {NAMED:.0%}", named / ours.caught, named >= NAMED * ours.caught),
            Target(f"a million inputs, seconds, under {SECONDS:g}", seconds, seconds < SECONDS),
        ],
        packages=("torch",),
    )


def score(says_right: Callable[[Sample], bool]) -> Score:
    """Return what a checker says of the corpus; one that cannot judge a sample has not caught it."""
    begun = time.perf_counter()
    caught = sum(not says_right(sample) for sample in WRONG)
    blamed = sum(not says_right(sample) for sample in RIGHT)
    return Score(caught, blamed, time.perf_counter() - begun)


def first_kind(sample: Sample) -> str:
    """Return the class of our first finding."""
    findings = check_gradient(sample.function, sample.pullback, *sample.inputs).findings
    return findings[0].kind if findings else ""


def torch_says(sample: Sample, *, fast: bool) -> bool:
    """Ask torch.autograd.gradcheck of the pair as an autograd function."""
    inputs = tuple(x.detach().double().requires_grad_() if x.is_floating_point() else x for x in sample.inputs)

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: torch.Tensor) -> Any:
            ctx.save_for_backward(*values)
            return sample.function(*values)

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> Any:
            values = ctx.saved_tensors
            found = sample.pullback(upstream, *values)
            found = list(found) if isinstance(found, tuple | list) else [found]
            return tuple(found + [None] * (len(values) - len(found)))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.autograd.gradcheck(Wrapped.apply, inputs, fast_mode=fast)
    except RuntimeError:
        return False


def jax_says(sample: Sample) -> bool:
    """Ask jax.test_util.check_grads of the pair as a custom vector-Jacobian product."""
    import jax
    import numpy as np
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    floating = [x.is_floating_point() for x in sample.inputs]
    doubles = tuple(x.double() if wanted else x for x, wanted in zip(sample.inputs, floating, strict=True))
    shape = jax.ShapeDtypeStruct(tuple(sample.function(*doubles).shape), np.float64)

    def whole(arrays: tuple[Any, ...]) -> list[torch.Tensor]:
        moving = iter(arrays)
        return [
            torch.tensor(np.asarray(next(moving))) if wanted else x for x, wanted in zip(doubles, floating, strict=True)
        ]

    def forward(*arrays: Any) -> Any:
        return jax.pure_callback(lambda *a: sample.function(*whole(a)).numpy(), shape, *arrays)

    def backward(arrays: Any, upstream: Any) -> Any:
        structs = tuple(jax.ShapeDtypeStruct(a.shape, np.float64) for a in arrays)

        def pull(u: Any, *a: Any) -> Any:
            found = sample.pullback(torch.tensor(np.asarray(u)), *whole(a))
            found = list(found if isinstance(found, tuple | list) else [found])[: len(a)]
            return tuple(np.zeros(x.shape) if g is None else g.detach().numpy() for g, x in zip(found, a, strict=True))

        return jax.pure_callback(pull, structs, upstream, *arrays)

    wrapped = jax.custom_vjp(forward)
    wrapped.defvjp(lambda *arrays: (forward(*arrays), arrays), backward)
    arrays = tuple(x.numpy() for x, wanted in zip(doubles, floating, strict=True) if wanted)
    try:
        check_grads(wrapped, arrays, order=1, modes=["rev"])
    except Exception as error:
        return not str(error)
    return True


def large() -> float:
    """Return the seconds of checking an element-wise function of a million inputs."""
    x = torch.linspace(-3, 3, LARGE).reshape(1000, -1)
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        assert check_gradient(torch.tanh, None, x)
        seconds.append(time.perf_counter() - begun)
    return median(seconds)
