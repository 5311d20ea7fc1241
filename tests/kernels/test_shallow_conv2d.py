"""Every implementation of the gradients of shallow convolutions, against torch's in float64."""

import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.shallow_conv2d import Plan, gradients, product

IMPLEMENTATIONS = [name for name in dispatch.implementations("shallow_conv2d") if name != "cuda"]


@st.composite
def problems(draw):
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    plan = Plan(
        kernel,
        draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        draw(st.tuples(st.integers(1, 2), st.integers(1, 3))),
        draw(st.tuples(st.integers(0, 3), st.integers(0, 4))),
        draw(st.tuples(st.integers(0, 3), st.integers(0, 4))),
    )
    size = draw(st.tuples(st.integers(10, 18), st.integers(10, 34)))
    return plan, draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 13)), size


def draw_tensors(plan, samples, channels, filters, size, dtype):
    generator = torch.Generator().manual_seed(samples + 10 * channels)
    images = torch.randn(samples, channels, *size, generator=generator, dtype=torch.float64)
    weights = torch.randn(filters, channels, *plan.kernel, generator=generator, dtype=torch.float64)
    upstream = torch.randn(samples, filters, *plan.output(*size), generator=generator, dtype=torch.float64)
    return [t.to(dtype) for t in (upstream, images, weights)]


def product_of_torch(images, weights, bias, plan):
    (top, left), (bottom, right) = plan.before, plan.after
    padded = torch.nn.functional.pad(images.double(), (left, right, top, bottom))
    return torch.nn.functional.conv2d(padded, weights.double(), bias.double(), plan.stride, 0, plan.dilation)


def of_torch(upstream, images, weights, plan):
    upstream, images, weights = (t.double() for t in (upstream, images, weights))
    (top, left), (bottom, right) = plan.before, plan.after
    padded = torch.nn.functional.pad(images, (left, right, top, bottom))
    settings = (list(plan.stride), [0, 0], list(plan.dilation), False, [0, 0], 1, [True, True, False])
    whole, of_weights, _ = torch.ops.aten.convolution_backward(upstream, padded, weights, None, *settings)
    height, width = images.shape[2:]
    return whole[:, :, top : top + height, left : left + width], of_weights


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(deadline=None, max_examples=25)
@given(problem=problems())
def test_agrees_with_torch(implementation, dtype, problem):
    plan, samples, channels, filters, size = problem
    upstream, images, weights = draw_tensors(plan, samples, channels, filters, size, dtype)
    with dispatch.force(implementation):
        assert dispatch.chosen("shallow_conv2d", "cpu") == implementation
        found = gradients(upstream, images, weights, plan, (True, True))
        value = product(images, weights, images.new_ones(filters), plan)
    tolerance = 200 * torch.finfo(dtype).eps
    assert value.dtype == dtype
    expected = product_of_torch(images, weights, images.new_ones(filters), plan)
    torch.testing.assert_close(value.double(), expected, rtol=tolerance, atol=tolerance * 10)
    for ours, theirs in zip(found, of_torch(upstream, images, weights, plan), strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours.double(), theirs, rtol=tolerance, atol=tolerance * 10)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("size", [(16, 16), (16, 32), (28, 28), (32, 32)])
def test_sizes_that_fall_on_one_line_of_the_cache_and_sizes_that_do_not(implementation, size):
    plan = Plan((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    upstream, images, weights = draw_tensors(plan, 3, 3, 17, size, torch.float32)
    with dispatch.force(implementation):
        found = gradients(upstream, images, weights, plan, (True, True))
        value = product(images, weights, None, plan)
    torch.testing.assert_close(
        value.double(), product_of_torch(images, weights, images.new_zeros(17), plan), rtol=1e-4, atol=1e-4
    )
    for ours, theirs in zip(found, of_torch(upstream, images, weights, plan), strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_only_what_is_wanted_and_any_layout(implementation):
    plan = Plan((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    upstream, images, weights = draw_tensors(plan, 2, 3, 6, (8, 9), torch.float64)
    last = [t.contiguous(memory_format=torch.channels_last) for t in (upstream, images, weights)]
    with dispatch.force(implementation):
        both = gradients(upstream, images, weights, plan, (True, True))
        assert gradients(*last, plan, (True, False))[1] is None
        assert gradients(*last, plan, (False, True))[0] is None
        for found, expected in zip(gradients(*last, plan, (True, True)), both, strict=True):
            torch.testing.assert_close(found, expected)


def test_same_bits_on_one_thread_and_on_all():
    plan = Plan((3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    given = draw_tensors(plan, 70, 3, 32, (28, 28), torch.float32)
    many, before = (*gradients(*given, plan, (True, True)), product(*given[1:], None, plan)), numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = (*gradients(*given, plan, (True, True)), product(*given[1:], None, plan))
    finally:
        numba.set_num_threads(before)
    assert torch.equal(many[0], one[0])
    assert torch.equal(many[1], one[1])
    assert torch.equal(many[2], one[2])


@pytest.mark.parametrize(
    "plan",
    [
        Plan((3, 3), (1, 1), (1, 1), (1, 1), (1, 1)),
        Plan((3, 3), (1, 1), (2, 3), (2, 3), (2, 3)),
        Plan((2, 4), (1, 1), (1, 1), (0, 0), (0, 3)),
        Plan((5, 2), (1, 1), (1, 1), (6, 1), (0, 0)),
        Plan((1, 1), (1, 1), (1, 1), (0, 0), (0, 0)),
        Plan((2, 3), (1, 1), (1, 6), (2, 12), (3, 0)),
    ],
    ids=str,
)
def test_rows_as_long_as_the_images(plan):
    size = (12, 11)
    assert plan.output(*size)[1] == size[1]
    upstream, images, weights = draw_tensors(plan, 3, 2, 9, size, torch.float64)
    found = gradients(upstream, images, weights, plan, (True, True))
    for ours, theirs in zip(found, of_torch(upstream, images, weights, plan), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
