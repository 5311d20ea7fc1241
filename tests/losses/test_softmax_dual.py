"""The dual points of softmax regression are feasible, and their slopes and entropies are their own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.kernels.softmax_sweep import Linear
from gradus.losses import passes, softmax_dual

NAMES = [name for name in catalogue.MODELS if name.startswith("cross-entropy")]


def by_definition(point, loss):
    """The rows q that the point stands for, and the labels."""
    p = torch.cat([block.to(torch.float64, copy=True) for _, block in point.blocks()])
    p = p / p.sum(dim=1, keepdim=True)
    repair = point._repair
    q = p * (1 - repair.shares) + (p @ repair.shares)[:, None] * repair.receivers
    return q, loss.labels(torch.float64)


@pytest.fixture(params=["held", "computed again"], scope="module")
def held(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softmax_dual, "HELD_PART", 0 if request.param == "held" else 100)
        patch.setattr(passes, "BLOCK_NUMBERS", 6)
        patch.setattr(passes, "BLOCK_ROWS", 1)
        yield request.param == "held"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31), scale=st.floats(1e-2, 1e2))
def test_feasible_with_slopes_and_entropies_of_its_own(held, name, balanced, dtype, seed, scale):
    model = catalogue.models(dtype)[name]
    generator = torch.Generator().manual_seed(seed)
    W, b = (scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (3,)))
    weights = model.weights.double()
    weights = weights / weights.sum()
    point = model.loss.dual_points(model.features, weights, balanced=balanced)(Linear(W, b))
    q, y = by_definition(point, model.loss)
    blocks = [(rows, block.dtype) for rows, block in point.blocks()]
    kept_in = dtype if held else torch.float64
    assert {kind for _, kind in blocks} == {kept_in}
    assert len(blocks) == 1 if held else [rows.start for rows, _ in blocks] == list(range(0, len(q), 2))
    assert q.min() >= 0
    assert (q.sum(dim=1) - 1).abs().max() <= 1e-14
    X = model.features.matrix.double()
    logits = X @ W + b
    expected_loss = torch.nn.functional.cross_entropy(logits, model.loss.labels(torch.float64), reduction="none")
    torch.testing.assert_close(point.loss, weights @ expected_loss)
    if not balanced:
        assert (q - logits.softmax(dim=1)).abs().max() <= 4 * torch.finfo(kept_in).eps + 1e-15 * logits.abs().max()
    mass = y.sum(dim=1, keepdim=True)
    residual = (mass * q - y) * weights[:, None]
    assert (residual.sum(dim=0).abs().max() <= 1e-15) or not balanced
    torch.testing.assert_close(point.slopes, X.T @ residual, rtol=1e-12, atol=1e-13)
    for s, value in zip((0.3, 1.0), point.values([0.3, 1.0]).tolist(), strict=True):
        entropies = torch.special.entr((y / mass + s * (q - y / mass)).clamp_min(0.0)).sum(dim=1)
        assert value == pytest.approx((weights * mass[:, 0] * entropies).sum().item(), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31), scale=st.floats(1e-2, 1e1))
def test_what_is_known_at_once_is_a_dual_point_too(name, balanced, seed, scale):
    """Some rows q on the simplex have the slopes, come out right if they must, and an entropy that is not below."""
    model = catalogue.models(torch.float64)[name]
    generator = torch.Generator().manual_seed(seed)
    W, b = (scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (3,)))
    weights = model.weights / model.weights.sum()
    value, slopes = model.loss.dual_points(model.features, weights, balanced=balanced)(Linear(W, b)).mixed()
    X, y = model.features.matrix, model.loss.labels(torch.float64)
    p, mass = (X @ W + b).softmax(dim=1), y.sum(dim=1, keepdim=True)
    counts, expected = weights @ y, weights @ (mass * p)
    share = ((expected - counts) / expected).max() if balanced else torch.zeros(())
    towards = (expected - (expected - counts) / share) / counts.sum() if balanced else p.mean(dim=0)
    q = (1 - share) * p + share * towards
    assert q.min() >= -1e-14
    residual = (mass * q - y) * weights[:, None]
    assert not balanced or residual.sum(dim=0).abs().max() <= 1e-15
    torch.testing.assert_close(slopes, X.T @ residual, rtol=1e-10, atol=1e-13)
    entropy = (weights * mass[:, 0] * torch.special.entr(q.clamp_min(0.0)).sum(dim=1)).sum().item()
    assert value.item() <= entropy + 1e-12 * (1 + (X @ W).abs().max().item())
    if not balanced:
        assert value.item() == pytest.approx(entropy, abs=1e-12 * (1 + (X @ W).abs().max().item()))


def test_without_an_intercept_the_labels_are_not_gone_through():
    model = catalogue.models(torch.float64)[NAMES[0]]
    dual = model.loss.dual_points(model.features, model.weights, balanced=False)
    point = dual(Linear(torch.zeros(4, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)))
    point.mixed()
    point.values([1.0])
    assert point.slopes.isfinite().all()
    assert "label_sums" not in vars(dual)
