import numba
import pytest
import torch
from scipy.spatial.distance import cdist

from gradus.kernels import dispatch
from gradus.kernels.student_repulsion import repulsion

IMPLEMENTATIONS = dispatch.implementations("student_repulsion")


def cloud(samples, dimensions, dtype=torch.float64, seed=0):
    return torch.randn(samples, dimensions, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 4


def expected(targets, sources, dof):
    """The potential from SciPy's distances, and the forces from autograd: -1/2 grad phi, whatever dof is."""
    places = targets.double().clone().requires_grad_()
    potential = (1 + ((places[:, None] - sources.double()) ** 2).sum(2) / dof) ** -dof
    (gradient,) = torch.autograd.grad(potential.sum(), places)
    oracle = (1 + cdist(targets.double(), sources.double()) ** 2 / dof) ** -dof
    return -gradient / 2, torch.from_numpy(oracle.sum(1))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("dof", [0.3, 1.0, 2.0, 30.0])
def test_forces_and_potential(implementation, dtype, dimensions, dof):
    targets, sources = cloud(37, dimensions, dtype), cloud(1100, dimensions, dtype, seed=1)
    with dispatch.force(implementation):
        forces, potential = repulsion(targets, sources, dof)
    wanted_forces, wanted_potential = expected(targets, sources, dof)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-11
    assert forces.dtype == dtype
    torch.testing.assert_close(forces.double(), wanted_forces, rtol=tolerance, atol=20 * tolerance)
    torch.testing.assert_close(potential, wanted_potential, rtol=tolerance, atol=0)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dof", [1.0, 0.5])
def test_far_points_neither_push_nor_spoil(implementation, dof):
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1e15, 1e15]])
    with dispatch.force(implementation):
        forces, potential = repulsion(points, points, dof)
    assert torch.isfinite(forces).all()
    assert potential[2] == pytest.approx(1.0)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_nothing_against_nothing(implementation):
    with dispatch.force(implementation):
        forces, potential = repulsion(torch.zeros(0, 2), torch.zeros(3, 2), 1.0)
        alone, none = repulsion(torch.zeros(3, 2), torch.zeros(0, 2), 1.0)
    assert forces.shape == (0, 2)
    assert potential.shape == (0,)
    assert not alone.any()
    assert not none.any()


@pytest.mark.parametrize("dof", [1.0, 2.0])
def test_no_bit_depends_on_the_number_of_threads(dof):
    points = cloud(4000, 2, torch.float32)
    most = numba.get_num_threads()
    try:
        both = []
        for threads in (1, most):
            numba.set_num_threads(threads)
            both.append(repulsion(points, points, dof))
    finally:
        numba.set_num_threads(most)
    assert torch.equal(both[0][0], both[1][0])
    assert torch.equal(both[0][1], both[1][1])
