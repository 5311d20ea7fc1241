from dataclasses import replace

import numpy as np
import pytest

from gradus.data import Dataset, fingerprint, read

DATA = Dataset(
    name="d",
    features=np.arange(12, dtype=np.float32).reshape(4, 3),
    labels=np.array([0, 1, 0, 1]),
    class_names=("a", "b"),
    row_ids=np.array(["w", "x", "y", "z"]),
    is_test=np.array([False, False, True, True]),
    feature_names=("f", "g", "h"),
)

CHANGES = {
    "one bit": {"features": np.nextafter(DATA.features, np.float32(100))},
    "type": {"features": DATA.features.astype(np.float64)},
    "shape": {"features": DATA.features.reshape(2, 6)},
    "labels": {"labels": np.array([0, 1, 1, 1])},
    "no labels": {"labels": None},
    "class names": {"class_names": ("b", "a")},
    "ids": {"row_ids": np.array(["w", "x", "y", "zz"])},
    "split": {"is_test": np.array([False, True, False, True])},
    "no split": {"is_test": None},
    "columns": {"feature_names": ("f", "g", "i")},
    "no columns": {"feature_names": None},
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_with_the_data(change):
    assert fingerprint(replace(DATA, **CHANGES[change])) != fingerprint(DATA)


@pytest.mark.parametrize(
    "same",
    [
        {"name": "other"},
        {"notes": ("a note",)},
        {"row_ids": np.array(["w", "x", "y", "z"], dtype="U50")},
        {"features": np.asfortranarray(DATA.features)},
    ],
)
def test_it_does_not_change_with_what_is_not_data(same):
    assert fingerprint(replace(DATA, **same)) == fingerprint(DATA)


def test_it_is_the_same_in_every_process_and_version():
    assert fingerprint(read("digits")) == "44d52b9320ef8e42594c02e3f8f62cec"


def test_hostile_names_do_not_run_together():
    one = replace(DATA, row_ids=np.array(['a", "b', "c", "d", "e"]))
    two = replace(DATA, row_ids=np.array(["a", 'b", "c', "d", "e"]))
    assert fingerprint(one) != fingerprint(two)
