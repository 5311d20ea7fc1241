import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from openTSNE import _tsne

from gradus.kernels.student_repulsion import repulsion
from gradus.tsne import ExactRepulsion, GridRepulsion, Rule, TreeRepulsion, repulsion_for
from gradus.tsne.field import field_of
from gradus.tsne.mesh import MOST_NODES, mesh_over
from gradus.tsne.repulsion import ORDER, SPACING
from gradus.tsne.spectrum import spectrum


def clusters(samples=3000, dimensions=2, spread=25.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(10, dimensions, generator=generator) * spread
    return centres[torch.arange(samples) % 10] + torch.randn(samples, dimensions, generator=generator) * 3


def relative_error(found, expected):
    return float((found.double() - expected.double()).norm() / expected.double().norm())


@pytest.mark.parametrize("dof", [0.3, 0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_grid_against_all_pairs(dof, dimensions):
    points = clusters(dimensions=dimensions)
    forces, normaliser = ExactRepulsion(dof)(points)
    found, found_normaliser = GridRepulsion(Rule(dof, SPACING * min(1, (dof / 0.5) ** 0.5), ORDER))(points)
    assert relative_error(found, forces) < 0.03
    assert found_normaliser == pytest.approx(normaliser, rel=2e-3)


@pytest.mark.parametrize("dof", [0.3, 1.0, 10.0])
@pytest.mark.parametrize("spread", [3.0, 25.0])
def test_tree_against_all_pairs(dof, spread):
    points = clusters(dimensions=3, spread=spread)
    forces, normaliser = ExactRepulsion(dof)(points)
    found, found_normaliser = TreeRepulsion(dof)(points)
    # a kernel that falls steeply is the hardest for means of many points
    assert relative_error(found, forces) < (0.015 if dof <= 1 else 0.05)
    assert found_normaliser == pytest.approx(normaliser, rel=6e-3 if dof <= 1 else 1.5e-2)


def test_tree_in_space_is_no_less_exact_than_the_grid_in_the_plane():
    solid, plane = clusters(dimensions=3), clusters()
    through_tree = relative_error(TreeRepulsion(1.0)(solid)[0], ExactRepulsion(1.0)(solid)[0])
    through_grid = relative_error(GridRepulsion(Rule(1.0, SPACING, ORDER))(plane)[0], ExactRepulsion(1.0)(plane)[0])
    assert through_tree < through_grid


@pytest.mark.parametrize(("order", "bounds"), [(4, (5e-2, 2e-2, 5e-3)), (6, (4e-2, 1.2e-2, 1.5e-3))])
def test_error_falls_with_the_spacing_and_the_order(order, bounds):
    points = clusters()
    forces, _ = ExactRepulsion(1.0)(points)
    for spacing, bound in zip((0.7, 0.5, 1 / 3), bounds, strict=True):
        assert relative_error(GridRepulsion(Rule(1.0, spacing, order))(points)[0], forces) < bound


def test_default_error_is_below_openTSNE_s_default():
    points = clusters()
    forces, normaliser = ExactRepulsion(1.0)(points)
    found, found_normaliser = GridRepulsion(Rule(1.0, SPACING, ORDER))(points)
    theirs = np.zeros(points.shape)
    their_normaliser = _tsne.estimate_negative_gradient_fft_2d(
        points.double().numpy(), theirs, dof=1.0, n_interpolation_points=3, min_num_intervals=50, ints_in_interval=1
    )
    # theirs is divided by Z already, with the other sign
    assert relative_error(found, forces) < relative_error(torch.from_numpy(theirs * -their_normaliser), forces)
    assert abs(found_normaliser - normaliser) < abs(their_normaliser - normaliser)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e12])
def test_a_far_outlier_makes_no_endless_grid_and_spoils_nothing(far):
    points = clusters()
    points[0] = torch.tensor([far, -far])
    assert np.prod(mesh_over(points, SPACING, ORDER).shape) <= MOST_NODES
    forces, normaliser = ExactRepulsion(1.0)(points)
    found, found_normaliser = GridRepulsion(Rule(1.0, SPACING, ORDER))(points)
    assert relative_error(found, forces) < 0.03
    assert found_normaliser == pytest.approx(normaliser, rel=2e-3)


def test_a_map_that_is_sparse_everywhere_gets_a_coarser_grid():
    points = clusters(spread=1e7)
    mesh = mesh_over(points, SPACING, ORDER)
    assert mesh.spacing > SPACING
    assert np.prod(mesh.shape) <= MOST_NODES


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 50), st.floats(1e-6, 1e9), st.floats(1e-6, 1e9), st.integers(0, 10**6))
def test_a_mesh_holds_all_points_but_a_few(samples, height, width, seed):
    points = torch.rand(samples, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([height, width])
    mesh = mesh_over(points, SPACING, ORDER)
    assert np.prod(mesh.shape) <= MOST_NODES
    assert (~mesh.contains(points)).sum() <= 4 * (0.01 * samples + 2)


def test_a_small_map_gets_half_the_spacing_and_stays_as_exact_as_openTSNE_s():
    points = clusters(spread=3.0)
    points = points[(points.abs() < 9).all(1)]
    assert mesh_over(points, SPACING, ORDER).spacing == SPACING / 2
    assert mesh_over(points * 10, SPACING, ORDER).spacing == SPACING
    forces, _ = ExactRepulsion(10.0)(points)
    theirs = np.zeros(points.shape)
    their_normaliser = _tsne.estimate_negative_gradient_fft_2d(
        points.double().numpy(), theirs, dof=10.0, n_interpolation_points=3, min_num_intervals=50, ints_in_interval=1
    )
    found = relative_error(GridRepulsion(Rule(10.0, SPACING, ORDER))(points)[0], forces)
    assert found < relative_error(torch.from_numpy(theirs * -their_normaliser), forces)


def test_points_that_all_coincide_do_not_push():
    points = torch.zeros(900, 2)
    forces, normaliser = GridRepulsion(Rule(1.0, SPACING, ORDER))(points)
    assert torch.allclose(forces, forces[0])
    assert normaliser == pytest.approx(900 * 899, rel=1e-2)


def test_spectra_are_kept_between_iterations():
    rule = Rule(1.0, SPACING, ORDER)
    assert spectrum(rule, 40, 45) is spectrum(rule, 40, 45)


def test_the_choice_is_by_size_and_dimensions():
    assert isinstance(repulsion_for(torch.zeros(100, 2), 1.0), ExactRepulsion)
    assert isinstance(repulsion_for(torch.zeros(20_000, 2), 1.0), GridRepulsion)
    assert isinstance(repulsion_for(torch.zeros(20_000, 1), 1.0), GridRepulsion)
    assert isinstance(repulsion_for(torch.zeros(2_000, 2), 0.7), GridRepulsion)
    assert isinstance(repulsion_for(torch.zeros(3_000, 3), 1.0), ExactRepulsion)
    assert isinstance(repulsion_for(torch.zeros(20_000, 3), 1.0), TreeRepulsion)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_the_field_of_a_map_is_its_pairwise_sum_on_and_off_the_grid(dimensions):
    sources = clusters(8000, dimensions)
    points = torch.cat([clusters(200, dimensions, seed=1), torch.full((1, dimensions), 1e4)])
    found, found_potential = field_of(sources, 1.0)(points)
    forces, potential = repulsion(points, sources, 1.0)
    assert relative_error(found, forces) < 0.03
    torch.testing.assert_close(found_potential, potential, rtol=0.05, atol=0.05)
    torch.testing.assert_close(found[-1], forces[-1])
