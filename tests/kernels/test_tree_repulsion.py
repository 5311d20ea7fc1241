import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from gradus.kernels import dispatch
from gradus.kernels.tree_repulsion import tree_repulsion
from gradus.kernels.tree_repulsion.tree import DEPTH, FEW, tree_over

IMPLEMENTATIONS = dispatch.implementations("tree_repulsion")


def cloud(samples, seed=0, scale=4.0):
    generator = torch.Generator().manual_seed(seed)
    clusters = torch.randn(7, 3, generator=generator) * 3 * scale
    return clusters[torch.arange(samples) % 7] + torch.randn(samples, 3, generator=generator) * scale


def all_pairs(targets, sources, dof):
    """Forces and potential from SciPy's distances."""
    base = 1 + torch.from_numpy(cdist(targets.double(), sources.double()) ** 2) / dof
    push = base ** (-dof - 1)
    return push.sum(1)[:, None] * targets.double() - push @ sources.double(), (base**-dof).sum(1)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dof", [0.3, 1.0, 2.0, 30.0])
def test_without_an_opening_all_pairs_are_summed(implementation, dof):
    targets, sources = cloud(50, seed=1), cloud(2500)
    with dispatch.force(implementation):
        forces, potential = tree_repulsion(targets, sources, dof, 0.0)
    expected_forces, expected = all_pairs(targets, sources, dof)
    torch.testing.assert_close(forces.double(), expected_forces, rtol=2e-5, atol=3e-4)
    torch.testing.assert_close(potential, expected, rtol=2e-5, atol=0)


@pytest.mark.parametrize("dof", [0.5, 1.0, 2.0])
def test_the_error_falls_with_the_opening(dof):
    points = cloud(3000)
    expected = all_pairs(points, points, dof)[0]
    errors = [
        float((tree_repulsion(points, points, dof, opening)[0] - expected).norm() / expected.norm())
        for opening in (0.8, 0.5, 0.25)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 0.02
    assert errors[2] < 0.004


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_points_that_coincide_however_many(implementation):
    points = torch.cat([torch.ones(5 * FEW, 3), torch.zeros(300, 3), cloud(100)])
    with dispatch.force(implementation):
        forces, potential = tree_repulsion(points, points, 1.0, 0.5)
    expected_forces, expected = all_pairs(points, points, 1.0)
    torch.testing.assert_close(potential, expected, rtol=5e-3, atol=0)
    assert (forces - expected_forces).norm() < 0.02 * expected_forces.norm()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("far", [1e3, 1e6, 1e15])
def test_a_far_point_neither_pushes_nor_spoils(implementation, far):
    points = cloud(600)
    points[5] = torch.tensor([far, -far, far])
    with dispatch.force(implementation):
        forces, potential = tree_repulsion(points, points, 1.0, 0.5)
    expected_forces, expected = all_pairs(points, points, 1.0)
    torch.testing.assert_close(potential, expected, rtol=1e-2, atol=0)
    assert (forces - expected_forces).norm() < 0.02 * expected_forces.norm()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_nothing_and_one(implementation):
    with dispatch.force(implementation):
        assert tree_repulsion(torch.zeros(0, 3), cloud(5), 1.0, 0.5)[0].shape == (0, 3)
        assert not tree_repulsion(cloud(5), torch.zeros(0, 3), 1.0, 0.5)[1].any()
        forces, potential = tree_repulsion(torch.ones(1, 3), torch.ones(1, 3), 1.0, 0.5)
    assert not forces.any()
    assert potential.tolist() == [1.0]


def test_one_target_is_told_what_many_are_and_no_thread_changes_a_bit():
    points = cloud(4000)
    most = numba.get_num_threads()
    together = tree_repulsion(points, points, 1.0, 0.5)
    alone = tree_repulsion(points[17:18], points, 1.0, 0.5)
    try:
        numba.set_num_threads(1)
        single = tree_repulsion(points, points, 1.0, 0.5)
    finally:
        numba.set_num_threads(most)
    assert all(torch.equal(one, other) for one, other in zip(together, single, strict=True))
    assert all(torch.equal(one[17:18], other) for one, other in zip(together, alone, strict=True))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.floats(1e-6, 1e6), st.integers(0, 10**6))
def test_the_cubes_hold_their_points_once(samples, scale, seed):
    points = torch.randn(samples, 3, generator=torch.Generator().manual_seed(seed)) * scale
    points[: samples // 3] = points[0]
    tree = tree_over(points.numpy())
    leaves = [cube for cube, after in enumerate(tree.following) if after == cube + 1]
    assert [bound for cube in leaves for bound in tree.ranges[cube]][1:-1] == [
        bound for cube in leaves[:-1] for bound in [tree.ranges[cube][1]] * 2
    ]
    assert tree.ranges[0].tolist() == [0, samples]
    smallest = tree.edges[0] * 4.0**-DEPTH * 1.01
    for cube in leaves:
        assert tree.ranges[cube][1] - tree.ranges[cube][0] <= FEW or tree.edges[cube] <= smallest
    for cube, (start, stop) in enumerate(tree.ranges):
        extent = tree.points[start:stop].max(0) - tree.points[start:stop].min(0)
        assert (extent**2 <= tree.edges[cube] * 1.001 + 1e-12).all()
