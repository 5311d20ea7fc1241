import zipfile

import numpy as np
import pytest

from data.making import pixels, refused, two_classes
from gradus.data import ReadOptions, read

X, Y = two_classes()


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        *[("X", "y"), ("x", "y"), ("X", "Y"), ("features", "labels")],
        *[("embeddings", "target"), ("data", "label"), ("Xtrain", "ytrain")],
    ],
)
def test_usual_names_are_known(tmp_path, features, labels):
    np.savez(tmp_path / "a.npz", **{features: X, labels: Y, "other": np.zeros(3)})
    data = read(tmp_path / "a.npz")
    assert np.array_equal(data.features, X)
    assert np.array_equal(data.labels, Y)
    assert (data.name, data.class_names, data.is_test) == ("a", ("0", "1"), None)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("Xtrain", "Ytrain", "Xtest", "Ytest"),
        ("train_images", "train_labels", "val_images", "val_labels"),
        ("train-features", "train-labels", "test-features", "test-labels"),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_given_split_is_kept(tmp_path, names, save):
    save(tmp_path / "a.npz", **dict(zip(names, (X[:12], Y[:12], X[12:], Y[12:]), strict=True)))
    data = read(tmp_path / "a.npz")
    assert np.array_equal(data.features, X)
    assert np.array_equal(data.labels, Y)
    assert data.is_test.tolist() == [False] * 12 + [True] * 8
    assert data.row_ids[[0, 11, 12, 19]].tolist() == ["train/0", "train/11", "test/0", "test/7"]


def test_validation_rows_beside_test_rows_join_the_training_rows(tmp_path):
    parts = {"x_train": X[:8], "y_train": Y[:8], "x_val": X[8:12], "y_val": Y[8:12], "x_test": X[12:], "y_test": Y[12:]}
    np.savez(tmp_path / "a.npz", **parts)
    data = read(tmp_path / "a.npz")
    assert np.array_equal(data.features, X)
    assert data.is_test.sum() == 8
    assert "'x_val'" in data.notes[0]


def test_images_are_pixels(tmp_path):
    images = pixels(20, 6, 5, 3)
    np.savez(tmp_path / "a.npz", X=images, y=Y)
    data = read(tmp_path / "a.npz")
    assert np.array_equal(data.images, images)
    assert np.array_equal(data.features, images.reshape(20, -1).astype(np.float32) / np.float32(255))


def test_ids_come_from_an_array(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y, names=np.array([f"row\n{place}" for place in range(20)]))
    assert read(tmp_path / "a.npz", ReadOptions(ids="names")).row_ids[3] == "row\n3"
    refused(tmp_path / "a.npz", "'nmaes'", "'names'", options=ReadOptions(ids="nmaes"))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": X, "b": Y}, ("'a', 'b'", "x_train")),
        ({"X": X}, ("'X' has no labels",)),
        ({"X": X, "x": X, "y": Y}, ("'X', 'x'", "could mean the same")),
        ({"X": X, "y": Y, "x_train": X, "y_train": Y}, ("'x_train' and 'X'",)),
        ({"X": X, "y": Y[:7]}, ("20 rows but 7 labels",)),
        ({"X": X[:, 0], "y": Y}, ("(20,)", "reshape")),
        ({"X": X[:0], "y": Y[:0]}, ("no rows",)),
        ({"X": X[:, :0], "y": Y}, ("no features",)),
        ({"X": X.astype(complex), "y": Y}, ("complex",)),
        ({"X": X.astype(str), "y": Y}, ("real numbers",)),
        ({"X": X, "y": np.eye(20)}, ("argmax",)),
        ({"X": X, "y": Y + 0.5}, ("0.5", "not a class")),
        ({"X": np.where(X[3, 2] == X, np.nan, X), "y": Y}, ("row 3", "column 2", "NaN")),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y}, ("2 features", "rows 3")),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, ("'2'", "not in the training rows")),
        ({"x_train": X, "y_train": Y, "x_test": X[:0], "y_test": Y[:0]}, ("no test rows",)),
    ],
)
def test_what_is_wrong_is_said(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(tmp_path / "a.npz", "a.npz", *words)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("key", ["X", "y"])
def test_objects_are_refused_and_never_loaded(tmp_path, key):
    trap = np.array([Trap()] * 20, dtype=object)
    np.savez(tmp_path / "a.npz", **{"X": X, "y": Y, key: trap})
    refused(tmp_path / "a.npz", f"'{key}' holds Python objects", "never loaded")


def test_damage_is_said(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=X, y=Y)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PK\x03\x04" + b"x" * 50, b"hello there, this is text"):
        path.write_bytes(damaged)
        refused(path, "a.npz")
    flipped = bytearray(whole)
    flipped[120] ^= 0xFF
    path.write_bytes(flipped)
    refused(path, "not a readable .npz archive")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"not an array")
    refused(path, "a.npz")
    np.save(tmp_path / "b.npy", X)
    (tmp_path / "b.npy").rename(path)
    refused(path, "single array", ".npy")


def test_labels_missing_on_one_side_leave_none(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X)
    refused(tmp_path / "a.npz", "'x_test' has no labels")
    assert read(tmp_path / "a.npz", ReadOptions(labelled=False)).labels is None
