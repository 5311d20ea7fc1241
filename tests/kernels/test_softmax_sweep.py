"""Every implementation of the sweep, against autograd in float64 and against the reference."""

import numba
import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import implementations
from gradus.kernels import dispatch
from gradus.kernels.chosen_rows import ChosenRows
from gradus.kernels.softmax_sweep import (
    Labelled,
    Linear,
    Slopes,
    hessian_product,
    label_sums,
    loss,
    loss_and_slopes,
    offset_hessian,
)

IMPLEMENTATIONS = implementations.of("softmax_sweep")
# the interpreter subtracts infinities, as a device does; NumPy tells of it
pytestmark = pytest.mark.filterwarnings("ignore:.* encountered in .*:RuntimeWarning")
STORED = [torch.float32, torch.float64, torch.float16, torch.uint8]
COMPUTED = [torch.float32, torch.float64]


@pytest.fixture(scope="module", autouse=True)
def wide_from_few_columns():
    """Both ways of multiplying are run by small problems."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradus.kernels.softmax_sweep.cpu.WIDE", 64)
        yield


def draw(shape, seed, stored=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    if stored == torch.uint8:
        return torch.randint(256, shape, generator=generator, dtype=torch.uint8)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(stored)


def laid_out(matrix, layout):
    """The same numbers, rows side by side in memory, columns side by side, with holes, or some rows of many."""
    if layout == "columns":
        return matrix.t().contiguous().t()
    if layout == "holes":
        wide = torch.zeros(2 * matrix.shape[0], 3 * matrix.shape[1], dtype=matrix.dtype)
        wide[::2, ::3] = matrix
        return wide[::2, ::3]
    if layout == "chosen":
        places = torch.randperm(3 * len(matrix), generator=torch.Generator().manual_seed(0))[: len(matrix)]
        more = torch.zeros(3 * len(matrix), matrix.shape[1], dtype=matrix.dtype)
        more[places] = matrix
        return ChosenRows(more, places)
    return matrix


def problem(samples, features, classes, dtype, kind, seed=0):
    scale = 1.0 / max(features, 1) ** 0.5
    linear = Linear(scale * draw((features, classes), seed + 1).to(dtype), draw((classes,), seed + 2).to(dtype))
    codes = torch.randint(classes, (samples,), generator=torch.Generator().manual_seed(seed + 3))
    targets = codes if kind == "hard" else draw((samples, classes), seed + 4).softmax(dim=1).to(dtype)
    weights = draw((samples,), seed + 5).abs().to(dtype) / max(samples, 1)
    return linear, Labelled(targets, weights)


def by_autograd(matrix, linear, labelled):
    """Loss, gradient and a function for Hessian products, by torch alone, in float64."""
    X, weights = matrix.double(), labelled.weights.double()
    targets = labelled.targets if labelled.targets.ndim == 1 else labelled.targets.double()
    parameters = tuple(part.double().clone().requires_grad_() for part in linear)

    def value(W, b):
        return (torch.nn.functional.cross_entropy(X @ W + b, targets, reduction="none") * weights).sum()

    peer = value(*parameters)
    gradient = torch.autograd.grad(peer, parameters)
    return peer.detach(), gradient, lambda *v: torch.autograd.functional.hvp(value, parameters, v)[1]


def placed(implementation, *given):
    """Tensors, and what holds some, on the device that an implementation works on."""
    device = implementations.device_of(implementation)

    def move(part):
        if isinstance(part, ChosenRows):
            return ChosenRows(part.matrix.to(device), part.numbers.to(device))
        return type(part)(*(move(each) for each in part)) if isinstance(part, tuple) else part.to(device)

    return [move(part) for part in given]


def assert_close(found, expected, tolerance):
    found = found.cpu()
    scale = max(expected.abs().max().item(), 1e-3) if expected.numel() else 1.0
    assert (found.double() - expected).abs().max() <= tolerance * scale if expected.numel() else True


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("layout", ["rows", "columns", "holes", "chosen"])
@pytest.mark.parametrize("computed", COMPUTED)
@pytest.mark.parametrize("stored", STORED)
def test_is_what_autograd_finds(implementation, stored, computed, layout):
    if (stored, computed) == (torch.float64, torch.float32):
        pytest.skip("numbers of 64 bits are never computed with in 32")
    matrix = draw((531, 37), 0, stored)
    linear, labelled = problem(531, 37, 7, computed, "hard" if layout == "rows" else "soft")
    if stored == torch.uint8:
        linear = Linear(linear.coefficients / 100, linear.offset)
    value, gradient, hvp = by_autograd(matrix, linear, labelled)
    logits = matrix.double() @ linear.coefficients.double() + linear.offset.double()
    matrix = laid_out(matrix, layout)
    kept = torch.empty(531, 7, dtype=computed)
    tolerance = 200 * torch.finfo(computed).eps
    matrix, there, labelled, kept = placed(implementation, matrix, linear, labelled, kept)
    with dispatch.force(implementation):
        assert dispatch.chosen("softmax_sweep", kept.device.type) == implementation
        found, slopes = loss_and_slopes(matrix, there, labelled)
        assert_close(loss(matrix, there, labelled, kept), value, tolerance)
        turned = hessian_product(matrix, there, kept, labelled.weights)
    assert found.dtype == torch.float64
    assert slopes.slopes.dtype == slopes.totals.dtype == computed
    assert_close(found, value, tolerance)
    for ours, theirs in zip((*slopes, *turned), (*gradient, *hvp(*(part.double() for part in linear))), strict=True):
        assert_close(ours, theirs, tolerance)
    assert_close(kept, logits.softmax(dim=1), tolerance)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=40)
@given(
    layout=st.sampled_from(["rows", "chosen"]),
    samples=st.integers(0, 400),
    features=st.integers(0, 150),
    classes=st.sampled_from([1, 2, 3, 4, 5, 6, 9, 10, 11, 63, 64, 70]),
    kind=st.sampled_from(["hard", "soft"]),
    seed=st.integers(0, 2**31),
)
def test_agrees_with_autograd_at_any_shape(implementation, layout, samples, features, classes, kind, seed):
    matrix = draw((samples, features), seed)
    linear, labelled = problem(samples, features, classes, torch.float64, kind, seed)
    value, gradient, hvp = by_autograd(matrix, linear, labelled)
    kept = torch.empty(samples, classes, dtype=torch.float64)
    matrix, there, labelled, kept = placed(implementation, laid_out(matrix, layout), linear, labelled, kept)
    with dispatch.force(implementation):
        found, slopes = loss_and_slopes(matrix, there, labelled, kept)
        turned = hessian_product(matrix, there, kept, labelled.weights)
    assert_close(found, value, 1e-12)
    for ours, theirs in zip((*slopes, *turned), (*gradient, *hvp(*linear)), strict=True):
        assert_close(ours, theirs, 1e-11)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize("classes", [10, 70])
def test_slopes_are_those_of_the_kept_probabilities(implementation, kind, classes):
    """Probabilities rounded to 32 bits are a point of the dual, and the slopes belong to it to the last bits of 64."""
    matrix = draw((300, 20), 0)
    linear, labelled = problem(300, 20, classes, torch.float64, kind)
    *there, kept = placed(implementation, matrix, linear, labelled, torch.empty(300, classes))
    with dispatch.force(implementation):
        _, slopes = loss_and_slopes(*there, kept)
    kept = kept.cpu()
    rounded = kept.double() / kept.double().sum(dim=1, keepdim=True)
    targets = labelled.targets
    labels = targets if targets.ndim == 2 else torch.nn.functional.one_hot(targets, classes).double()
    residual = (rounded - labels) * labelled.weights[:, None]
    assert_close(slopes.slopes, matrix.T @ residual, 1e-13)
    assert_close(slopes.totals, residual.sum(dim=0), 1e-13)
    exact = (matrix @ linear.coefficients + linear.offset).softmax(dim=1)
    assert 0 < (rounded - exact).abs().max() <= 1e-7


@pytest.mark.parametrize("classes", [10, 70])
@pytest.mark.parametrize("stored", [*STORED, "chosen"])
def test_same_bits_on_one_thread_and_on_all(stored, classes):
    matrix = laid_out(draw((20_000, 50), 0), stored) if stored == "chosen" else draw((20_000, 50), 0, stored)
    linear, labelled = problem(20_000, 50, classes, torch.float64, "hard")

    def everything():
        kept = torch.empty(20_000, classes)
        value, slopes = loss_and_slopes(matrix, linear, labelled, kept)
        return value, *slopes, kept, *hessian_product(matrix, linear, kept, labelled.weights)

    many = everything()
    before = numba.get_num_threads(), torch.get_num_threads()
    numba.set_num_threads(1)
    torch.set_num_threads(1)
    try:
        one = everything()
    finally:
        numba.set_num_threads(before[0])
        torch.set_num_threads(before[1])
    assert dispatch.chosen("softmax_sweep", "cpu") == "cpu"
    for a, b in zip(many, one, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("indices", [numpy.int32, numpy.int64])
@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize("computed", COMPUTED)
def test_sparse_rows_are_what_autograd_finds(computed, kind, indices):
    dense = draw((531, 37), 0).to(computed) * (draw((531, 37), 9) > 1.0)
    dense[100:110] = 0.0
    matrix = csr_array(dense.numpy())
    matrix = csr_array((matrix.data, matrix.indices.astype(indices), matrix.indptr.astype(indices)), dense.shape)
    linear, labelled = problem(531, 37, 7, computed, kind)
    value, gradient, hvp = by_autograd(dense, linear, labelled)
    kept = torch.empty(531, 7, dtype=computed)
    found, slopes = loss_and_slopes(matrix, linear, labelled)
    tolerance = 200 * torch.finfo(computed).eps
    assert_close(found, value, tolerance)
    assert_close(loss(matrix, linear, labelled, kept), value, tolerance)
    turned = hessian_product(matrix, linear, kept, labelled.weights)
    for ours, theirs in zip((*slopes, *turned), (*gradient, *hvp(*(part.double() for part in linear))), strict=True):
        assert_close(ours, theirs, tolerance)


@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize("stored", [*STORED, "csr"])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_rows_of_each_class_add_up(implementation, stored, kind):
    matrix = draw((9001, 6), 0, torch.float32 if stored == "csr" else stored)
    _, labelled = problem(9001, 6, 3, torch.float64, kind)
    labels = labelled.targets if kind == "soft" else torch.nn.functional.one_hot(labelled.targets, 3).double()
    weighted = labels * labelled.weights[:, None]
    rows = csr_array(matrix.numpy()) if stored == "csr" else laid_out(matrix, "chosen" if kind == "soft" else "rows")
    if stored == "csr" and implementations.device_of(implementation) != "cpu":
        pytest.skip("sparse rows stay on the processor")
    rows, labelled = (rows, labelled) if stored == "csr" else placed(implementation, rows, labelled)
    with dispatch.force(implementation):
        sums = Slopes(*(part.cpu() for part in label_sums(rows, labelled, 3)))
    assert sums.slopes.dtype == torch.float64
    torch.testing.assert_close(sums.slopes, matrix.double().t() @ weighted, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(sums.totals, weighted.sum(dim=0), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("computed", COMPUTED)
@pytest.mark.parametrize("stored", ["csr", "chosen", torch.float64, torch.uint8])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_hessian_in_the_offset_is_what_autograd_finds(implementation, stored, computed):
    if stored == "csr" and implementations.device_of(implementation) != "cpu":
        pytest.skip("sparse rows stay on the processor")
    matrix = draw((5003, 6), 0, torch.uint8) if stored == torch.uint8 else draw((5003, 6), 0).to(computed)
    linear, labelled = problem(5003, 6, 5, computed, "hard")
    if stored == torch.uint8:
        linear = linear._replace(coefficients=linear.coefficients / 100)
    rows = (
        csr_array(matrix.numpy()) if stored == "csr" else laid_out(matrix, "chosen" if stored == "chosen" else "rows")
    )
    X, weights, (W, b) = matrix.double(), labelled.weights.double(), (part.double() for part in linear)

    def value(offset):
        losses = torch.nn.functional.cross_entropy(X @ W + offset, labelled.targets, reduction="none")
        return losses @ weights

    peer = torch.autograd.functional.hessian(value, b)
    if stored != "csr":
        rows, linear, labelled = placed(implementation, rows, linear, labelled)
    with dispatch.force(implementation):
        found = offset_hessian(rows, linear, labelled)
    assert found.dtype == torch.float64
    assert_close(found, peer, 1e-5 if computed == torch.float32 else 1e-13)
    assert found.sum(dim=1).abs().max() <= 1e-15


def test_hessian_in_the_offset_keeps_its_accuracy_where_probabilities_are_near_1():
    # class 0 is sure of all rows but for exp(-30)
    linear = Linear(torch.zeros(1, 3), torch.tensor([0.0, -30.0, -31.0]))
    found = offset_hessian(
        torch.ones(10, 1), linear, Labelled(torch.zeros(10, dtype=torch.int64), torch.full((10,), 0.1))
    )
    expected = numpy.exp(-30.0) + numpy.exp(-31.0)
    assert found[0, 0].item() == pytest.approx(expected, rel=1e-5)
