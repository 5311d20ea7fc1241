"""Every implementation of the products with compressed rows, against SciPy in float64."""

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from gradus.kernels import dispatch
from gradus.kernels.compressed_rows import CompressedRows, column_sums, product, selected_columns, transposed_product

IMPLEMENTATIONS = [name for name in dispatch.implementations("compressed_rows") if name != "cuda"]


def case(samples, features, seed, dtype, index=np.int32):
    """A matrix with an empty row, an empty column and a stored zero, and places for about half of its columns."""
    generator = np.random.default_rng(seed)
    dense = random_array((samples, features), density=0.3, rng=generator).toarray()
    dense[:, features // 2], dense[samples // 2] = 0.0, 0.0
    matrix = csr_array(dense.astype(dtype))
    if matrix.nnz:
        matrix.data[0] = 0.0
    parts = (matrix.data, matrix.indices.astype(index), matrix.indptr.astype(index))
    chosen = generator.permutation(features)[: (features + 1) // 2]
    places = np.full(features, -1, np.int32)
    places[chosen] = np.arange(len(chosen))
    return matrix.astype(np.float64), CompressedRows(*map(torch.from_numpy, parts)), torch.from_numpy(places), chosen


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=25)
@given(
    samples=st.integers(1, 90),
    features=st.integers(1, 40),
    outputs=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    single=st.booleans(),
    index=st.sampled_from([np.int32, np.int64]),
)
def test_agrees_with_scipy(implementation, samples, features, outputs, seed, single, index):
    dtype = np.float32 if single else np.float64
    peer, matrix, places, chosen = case(samples, features, seed, dtype, index)
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(len(chosen), outputs, generator=generator, dtype=torch.float64)
    residual = torch.randn(samples, outputs, generator=generator, dtype=torch.float64)
    shares = torch.rand(samples, generator=generator, dtype=torch.float64)
    with dispatch.force(implementation):
        found = product(matrix, weights, places)
        pulled = transposed_product(matrix, residual, places, len(chosen))
        sums = column_sums(matrix, shares, features)
        columns = selected_columns(matrix, places, len(chosen))
    np.testing.assert_allclose(found, peer[:, chosen] @ weights.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(pulled, peer[:, chosen].T @ residual.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(sums[:, 0], abs(peer).T @ shares.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(sums[:, 1], (peer * peer).T @ shares.numpy(), rtol=1e-10, atol=1e-12)
    rebuilt = np.zeros((samples, len(chosen)))
    for column in range(len(chosen)):
        start, stop = columns.starts[column], columns.starts[column + 1]
        rows = columns.samples[start:stop]
        assert (rows.diff() > 0).all()
        rebuilt[rows, column] = columns.values[start:stop]
    np.testing.assert_array_equal(rebuilt, peer[:, chosen].toarray())


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_float32_in_and_out(implementation):
    peer, matrix, places, chosen = case(50, 20, 3, np.float32)
    weights, residual = torch.ones(len(chosen), 2), torch.ones(50, 2)
    with dispatch.force(implementation):
        found = product(matrix, weights, places)
        pulled = transposed_product(matrix, residual, places, len(chosen))
    assert found.dtype == pulled.dtype == torch.float32
    np.testing.assert_allclose(found, peer[:, chosen] @ weights.numpy(), rtol=1e-5)
    np.testing.assert_allclose(pulled, peer[:, chosen].T @ residual.numpy(), rtol=1e-5)


def test_same_bits_on_any_number_of_threads():
    _, matrix, places, chosen = case(4000, 300, 5, np.float32)
    weights, residual = torch.rand(len(chosen), 20), torch.rand(4000, 20)
    before, found = numba.get_num_threads(), []
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            columns = selected_columns(matrix, places, len(chosen))
            pulled = transposed_product(matrix, residual, places, len(chosen))
            found.append((product(matrix, weights, places), pulled, *columns))
    finally:
        numba.set_num_threads(before)
    assert before >= 2, "one core cannot show that threads make no difference"
    for other in found[1:]:
        assert all(torch.equal(*pair) for pair in zip(found[0], other, strict=True))
    assert dispatch.chosen("compressed_rows", "cpu") == "cpu"
