import numpy as np
from sklearn.datasets import load_digits

from gradus.data import read


def test_digits_are_scikit_learns():
    ours, theirs = read("digits"), load_digits()
    assert np.array_equal(ours.features * 16, theirs.data)
    assert ours.features.dtype == np.float32
    assert np.array_equal(ours.labels, theirs.target)
    assert ours.class_names == tuple("0123456789")
    assert (ours.name, ours.is_test, ours.notes) == ("digits", None, ())
    assert np.array_equal(ours.images[..., 0], np.rint(theirs.images * 255 / 16))
    assert ours.row_ids.tolist() == [str(row) for row in range(1797)]
