import multiprocessing
import os

import numba
import numpy as np
import pytest
import scipy.signal
import torch
from scipy.interpolate import BSpline

from gradus.kernels import dispatch
from gradus.kernels.spline_grid import convolve, interpolate, spread

IMPLEMENTATIONS = dispatch.implementations("spline_grid")
SHAPE = (24, 18)


def places(samples, order, dtype, shape=SHAPE):
    room = torch.tensor(shape, dtype=torch.float64) - order
    return (torch.rand(samples, len(shape), generator=torch.Generator().manual_seed(0), dtype=torch.float64) * room).to(
        dtype
    )


def basis(order, coordinate, size):
    """SciPy's B-splines at every node: node g has the spline that begins at g - order + 1."""
    element = BSpline.basis_element(np.arange(order + 1), extrapolate=False)
    arguments = coordinate[:, None] - np.arange(size)[None] + order - 1
    return np.nan_to_num(element(arguments)), np.nan_to_num(element.derivative()(arguments))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("order", [4, 6])
def test_charges_and_reading_are_those_of_scipy_splines(implementation, dtype, order):
    where = places(300, order, dtype)
    potential = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with dispatch.force(implementation):
        charges = spread(where, SHAPE, order)
        values, slopes = interpolate(potential.to(dtype), where, order)
    down, down_slope = basis(order, where[:, 0].double().numpy(), SHAPE[0])
    along, along_slope = basis(order, where[:, 1].double().numpy(), SHAPE[1])
    grid = potential.numpy()
    tolerance = 2e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(charges.numpy(), down.T @ along, atol=tolerance)
    np.testing.assert_allclose(values, np.einsum("nr,rc,nc->n", down, grid, along), atol=tolerance)
    np.testing.assert_allclose(slopes[:, 0], np.einsum("nr,rc,nc->n", down_slope, grid, along), atol=tolerance)
    np.testing.assert_allclose(slopes[:, 1], np.einsum("nr,rc,nc->n", down, grid, along_slope), atol=tolerance)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_convolution_sees_no_images(implementation):
    height, width = 9, 5
    charges = torch.rand(height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows, columns = np.arange(-height + 1, height), np.arange(-width + 1, width)
    kernel = 1 / (1 + rows[:, None] ** 2 + columns[None] ** 2)
    wrapped = np.zeros((2 * height, 2 * width))
    wrapped[np.ix_(rows, columns)] = kernel
    spectrum = torch.from_numpy(np.fft.rfft2(wrapped).real[: height + 1].T.copy())
    with dispatch.force(implementation):
        found = convolve(charges, spectrum)
    np.testing.assert_allclose(found, scipy.signal.convolve(charges, kernel, mode="same", method="direct"), rtol=1e-12)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_points_leave_no_charge(implementation):
    with dispatch.force(implementation):
        assert not spread(torch.zeros(0, 2), (8, 8), 4).any()
        assert interpolate(torch.ones(8, 8), torch.zeros(0, 2), 4)[1].shape == (0, 2)


def test_no_bit_depends_on_the_number_of_threads():
    shape = (200, 250)
    where = places(50_000, 4, torch.float32, shape)
    spectrum = torch.rand(251, 201, generator=torch.Generator().manual_seed(1))
    most = numba.get_num_threads()
    found = []
    try:
        for threads in (1, most):
            numba.set_num_threads(threads)
            charges = spread(where, shape, 4)
            potential = convolve(charges, spectrum)
            found.append((charges, potential, *interpolate(potential, where, 4)))
    finally:
        numba.set_num_threads(most)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def _convolved_in_child(charges, spectrum, queue):
    queue.put(float(convolve(charges, spectrum).numpy().sum()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_gets_threads_of_its_own():
    # as many nodes as are worth two threads
    charges, spectrum = torch.ones(300, 300), torch.ones(301, 301)
    convolve(charges, spectrum)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_convolved_in_child, args=(charges, spectrum, queue))
    child.start()
    try:
        assert queue.get(timeout=20) == pytest.approx(90_000)
    finally:
        child.kill()
        child.join()
