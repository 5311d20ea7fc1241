"""The rows that bend the loss most: found among all, and inverted as their definition says."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from gradus.losses import CrossEntropy, DenseFeatures, LinearModel, SparseFeatures
from gradus.losses.leading_rows import Largest, LeadingRows, affordable, enough
from gradus.losses.shared_preconditioner import OutputCurvature, SharedPreconditioner, Spectrum


def model_of(*, intercept=True, rows=400, features=20, dtype=torch.float64, sparse=False):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(rows, features, generator=generator, dtype=torch.float64).to(dtype)
    weights = torch.rand(rows, generator=generator, dtype=torch.float64).to(dtype)
    loss = CrossEntropy(torch.randint(0, 3, (rows,), generator=generator), 3)
    held = SparseFeatures(csr_array(X.numpy())) if sparse else DenseFeatures(X)
    return LinearModel(loss, held, weights / weights.sum(), intercept, 0.7).centred()


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 60), columns=st.integers(1, 4), count=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_the_largest_of_blocks_are_those_of_all(rows, columns, count, seed):
    generator = torch.Generator().manual_seed(seed)
    bend = torch.rand(rows, columns, generator=generator)
    cuts = sorted(torch.randint(1, rows + 1, (3,), generator=generator).tolist())
    blocks = [part for part in torch.tensor_split(bend, cuts) if len(part)]
    largest = Largest(count)
    for block in blocks:
        largest.add(block)
    values, places = largest.values, largest.rows
    expected = bend.topk(min(count, rows), dim=0).values.t()
    torch.testing.assert_close(values.sort(dim=1, descending=True).values, expected, rtol=0, atol=0)
    torch.testing.assert_close(bend.t().gather(1, places), values, rtol=0, atol=0)
    assert all(len(set(row)) == len(row) for row in places.tolist())


def blocks_of_hessian(model, point, ridge):
    """Each output's block as the preconditioner means it: its leading rows, and the Gram matrix for the others."""
    p = torch.softmax(model.logits(point, model.features), dim=1)
    bend = model.weights[:, None] * p * (1 - p)
    X = model.scale * (model.features.matrix - model.centre)
    gram = (X * model.weights[:, None]).t() @ X
    for k in range(3):
        centre = X.t() @ bend[:, k] / bend[:, k].sum()
        top = bend[:, k].topk(affordable(model)).indices
        rows = X[top] - centre
        rest = bend[:, k].sum() - bend[top, k].sum()
        yield centre, bend[:, k].sum(), (rows * bend[top, k, None]).t() @ rows + rest * gram + ridge * torch.eye(20)


def test_it_inverts_what_the_rows_add_up_to():
    model, ridge = model_of(), 1e-4
    point = 3 * torch.randn(model.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    spectrum = Spectrum.of(model, diagonal=False)
    curvature = OutputCurvature.at(model, point, 10_000, spectrum.basis)
    precondition = SharedPreconditioner(spectrum, curvature, ridge, model.intercept)
    gradient = torch.randn(model.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    gradient[-1] -= gradient[-1].mean()
    found = precondition(gradient)
    intercepts = []
    for k, (centre, total, block) in enumerate(blocks_of_hessian(model, point, ridge)):
        slopes = torch.linalg.solve(block, gradient[:-1, k] - centre * gradient[-1, k])
        torch.testing.assert_close(found[:-1, k], slopes, rtol=1e-3, atol=1e-3 * slopes.abs().max().item())
        intercepts.append(gradient[-1, k] / total - centre @ slopes)
    expected = torch.stack(intercepts) - torch.stack(intercepts).mean()
    torch.testing.assert_close(found[-1], expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


@pytest.mark.parametrize("ridge", [1e-2, 1e-12])
def test_positive_in_float32_however_steep_the_rows_are(ridge):
    model = model_of(dtype=torch.float32)
    generator = torch.Generator().manual_seed(3)
    spectrum = Spectrum.of(model, diagonal=False)
    curvature = OutputCurvature.at(model, model.zeros(), 10_000, spectrum.basis)
    precondition = SharedPreconditioner(spectrum, curvature, ridge, model.intercept)
    rows = curvature.leading.rows(slice(None))
    for k in range(3):
        for inward in (*rows[k], *torch.randn(20, 20, generator=generator)):
            gradient = torch.zeros(model.shape)
            gradient[:-1, k] = spectrum.basis @ inward
            assert (gradient * precondition(gradient)).sum() > 0


def test_a_sample_for_the_curvature_leaves_the_leading_rows_those_of_all():
    model = model_of(rows=5000)  # more than are looked at together
    point = torch.randn(model.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    basis = torch.eye(20, dtype=torch.float64)
    whole, sampled = (OutputCurvature.at(model, point, rows, basis) for rows in (5000, 300))
    assert not torch.equal(whole.total, sampled.total)
    torch.testing.assert_close(whole.leading.total, sampled.leading.total)


def test_sparse_rows_are_the_same():
    point = torch.randn(21, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(20, 20, generator=torch.Generator().manual_seed(6), dtype=torch.float64))[0]
    found = [OutputCurvature.at(model_of(sparse=sparse), point, 10_000, basis).leading for sparse in (True, False)]
    rows = [each.rows(slice(None)) for each in found]
    orders = [each.square().sum(dim=2).argsort(dim=1) for each in rows]
    ordered = [each.gather(1, order[:, :, None].expand_as(each)) for each, order in zip(rows, orders, strict=True)]
    torch.testing.assert_close(ordered[0], ordered[1])


def test_few_rows_have_none():
    assert enough(model_of())
    assert not enough(model_of(rows=60))


def test_against_is_the_inverse_of_a_system():
    generator = torch.Generator().manual_seed(7)
    rows = torch.randn(2, 4, 9, generator=generator, dtype=torch.float64)
    diagonal = torch.rand(9, 2, generator=generator, dtype=torch.float64) + 0.1
    positions, roots = torch.arange(8).view(2, 4), rows.new_ones(2, 4)
    plain = (torch.eye(9, dtype=torch.float64), torch.zeros(2, 9, dtype=torch.float64))
    found = LeadingRows(DenseFeatures(rows.flatten(0, 1)), positions, roots, *plain).against(diagonal)
    for k in range(2):
        root = diagonal[:, k].rsqrt().diag()
        inverse = root @ (torch.eye(9, dtype=torch.float64) - found[k].t() @ found[k]) @ root
        expected = torch.linalg.inv(diagonal[:, k].diag() + rows[k].t() @ rows[k])
        torch.testing.assert_close(inverse, expected, rtol=1e-4, atol=1e-4)
