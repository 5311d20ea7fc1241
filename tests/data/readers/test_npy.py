import numpy as np
import pytest

from data.making import pixels, refused, two_classes
from gradus.data import ReadOptions, read

X, Y = two_classes()


def saved(tmp_path, features=X):
    np.save(tmp_path / "x.npy", features)
    return tmp_path / "x.npy"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("y.txt", "{0}\n{1}\n"),
        ("y.txt", "{0}\r\n{1}"),
        ("y.csv", "label\n{0}\n{1}\n"),
        ("y.csv", "{0}\n{1}\n"),
        ("y.tsv", "id\tlabel\n1\t{0}\n2\t{1}\n"),
        ("y.csv", "\ufeffid,Target\n1,{0}\n2,{1}\n"),
    ],
)
def test_labels_come_from_text(tmp_path, name, text):
    (tmp_path / name).write_text(text.format("b\u00e9", "a"), encoding="utf-8", newline="")
    data = read(saved(tmp_path, X[:2]), ReadOptions(labels=tmp_path / name, labelled=False))
    assert data.class_names == ("a", "b\u00e9")
    assert data.labels.tolist() == [1, 0]


@pytest.mark.parametrize("labels", [Y, Y.astype(str), Y[:, None], Y.astype(np.float32), Y.astype(bool)])
def test_labels_come_from_an_array(tmp_path, labels):
    np.save(tmp_path / "y.npy", labels)
    data = read(saved(tmp_path), ReadOptions(labels=tmp_path / "y.npy"))
    assert np.array_equal(data.features, X)
    assert np.array_equal(data.labels, Y)


def test_rows_are_copies_not_a_view_of_the_file(tmp_path):
    np.save(tmp_path / "y.npy", Y)
    path = saved(tmp_path)
    data = read(path, ReadOptions(labels=tmp_path / "y.npy"))
    held = data.features.copy()
    with path.open("r+b") as stream:
        stream.seek(-8, 2)
        stream.write(b"\0" * 8)
    assert np.array_equal(data.features, held)
    assert type(data.features) is np.ndarray


def test_images_stay_images(tmp_path):
    np.save(tmp_path / "y.npy", Y)
    images = pixels(20, 3, 8, 7)
    data = read(saved(tmp_path, images), ReadOptions(labels=tmp_path / "y.npy"))
    assert np.array_equal(data.images, images.transpose(0, 2, 3, 1))
    assert type(data.images) is np.ndarray


def test_labels_are_needed_unless_they_are_not(tmp_path):
    refused(saved(tmp_path), "no labels in it", "--labels")
    assert read(tmp_path / "x.npy", ReadOptions(labelled=False)).labels is None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("y.txt", "a\nb\n", ("20 rows but 2 labels",)),
        ("y.txt", "", ("20 rows but 0 labels",)),
        ("y.txt", "a\nb\n" * 9 + "\nb\n", ("row 18", "no label")),
        ("y.csv", "p,q\n1,2\n", ("'p', 'q'", "--label")),
        ("y.csv", "id,label\n1,a\n2\n", ("row 1", "1 cells", "expected 2")),
        ("y.json", "[]", (".json", ".txt")),
    ],
)
def test_label_files_that_do_not_fit(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    refused(saved(tmp_path), *words, options=ReadOptions(labels=tmp_path / name))


def test_a_label_file_that_is_not_there(tmp_path):
    (tmp_path / "labels.txt").touch()
    refused(saved(tmp_path), "no such file", "'labels.txt'", options=ReadOptions(labels=tmp_path / "label.txt"))
    refused(tmp_path / "x.npy", "a folder", options=ReadOptions(labels=tmp_path))


def test_objects_and_damage_are_refused(tmp_path):
    np.save(tmp_path / "o.npy", np.array([print] * 3, dtype=object))
    free = ReadOptions(labelled=False)
    refused(tmp_path / "o.npy", "Python objects", "never loaded", options=free)
    np.save(tmp_path / "y.npy", np.array([print] * 20, dtype=object))
    refused(saved(tmp_path), "y.npy", "Python objects", options=ReadOptions(labels=tmp_path / "y.npy"))
    whole = (tmp_path / "x.npy").read_bytes()
    for damaged in (whole[:100], whole[:20], b"", b"text"):
        (tmp_path / "x.npy").write_bytes(damaged)
        refused(tmp_path / "x.npy", "x.npy", options=free)
    np.savez(tmp_path / "z.npz", X=X)
    (tmp_path / "z.npz").rename(tmp_path / "x.npy")
    refused(tmp_path / "x.npy", "archive", ".npz", options=free)
