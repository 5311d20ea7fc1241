"""What `read` does with any format: samples, test splits, missing labels, checks. Formats have their own files."""

import csv
import os

import numpy as np
import pytest

from data.making import image_folder, pixels, png, refused, two_classes
from gradus.data import ReadOptions, read


def table(path, rows, header="a,b,label"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_sample_keeps_order_shares_and_says_so(tmp_path):
    labels = np.repeat([0, 1, 2], [100, 60, 4])
    np.savez(tmp_path / "a.npz", X=np.arange(164.0)[:, None], y=labels)
    options = ReadOptions(sample=41, seed=5)
    data = read(tmp_path / "a.npz", options)
    assert len(data) == 41
    assert np.all(np.diff(data.features[:, 0]) > 0)
    assert np.array_equal(data.labels, labels[data.features[:, 0].astype(int)])
    assert data.row_ids.tolist() == [str(int(value)) for value in data.features[:, 0]]
    assert np.bincount(data.labels).tolist() == [24, 15, 2]
    assert data.notes == ("A sample of 41 of 164 rows, drawn by class with seed 5.",)
    assert np.array_equal(read(tmp_path / "a.npz", options).features, data.features)
    assert not np.array_equal(read(tmp_path / "a.npz", ReadOptions(sample=41)).features, data.features)


def test_a_sample_keeps_both_sides_of_a_given_split(tmp_path):
    x, y = np.arange(60.0)[:, None], np.arange(60) % 3
    np.savez(tmp_path / "a.npz", x_train=x[:48], y_train=y[:48], x_test=x[48:], y_test=y[48:])
    data = read(tmp_path / "a.npz", ReadOptions(sample=15))
    assert np.bincount(data.labels[data.is_test]).tolist() == [1, 1, 1]
    assert np.bincount(data.labels[~data.is_test]).tolist() == [4, 4, 4]


@pytest.mark.parametrize("size", [0, -1, 21])
def test_a_sample_larger_than_the_data_is_refused(tmp_path, size):
    features, labels = two_classes()
    np.savez(tmp_path / "a.npz", X=features, y=labels)
    refused(tmp_path / "a.npz", "20 rows", f"sample of {size}", "1 to 20", options=ReadOptions(sample=size))


def test_a_sample_too_small_for_the_classes_is_refused():
    refused("digits", "too small for its 10 classes", "at least 20", options=ReadOptions(sample=19))
    assert np.bincount(read("digits", ReadOptions(sample=20)).labels).tolist() == [2] * 10


def test_without_labels_a_sample_is_of_all_rows(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(50.0)[:, None])
    data = read(tmp_path / "a.npy", ReadOptions(sample=7, labelled=False))
    assert len(data) == 7
    assert data.labels is None


def test_a_second_source_is_the_test_split(tmp_path):
    train = table(tmp_path / "train.csv", ["1,2,x", "3,4,y"])
    test = table(tmp_path / "test.csv", ["5,6,y", "7,8,x", "9,9,y"])
    data = read(train, ReadOptions(test=test))
    assert data.is_test.tolist() == [False, False, True, True, True]
    assert data.labels.tolist() == [0, 1, 1, 0, 1]
    assert data.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 9]]
    assert data.row_ids.tolist() == ["train/0", "train/1", "test/0", "test/1", "test/2"]


def test_ids_stay_where_both_sides_differ_and_are_marked_where_not(tmp_path):
    train = table(tmp_path / "train.csv", ["1,p,x", "3,q,y"], header="a,id,label")
    test = table(tmp_path / "test.csv", ["5,r,y"], header="a,id,label")
    assert read(train, ReadOptions(ids="id", test=test)).row_ids.tolist() == ["p", "q", "r"]
    again = table(tmp_path / "again.csv", ["5,p,y"], header="a,id,label")
    assert read(train, ReadOptions(ids="id", test=again)).row_ids.tolist() == ["train/p", "train/q", "test/p"]


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("a,b,label", ["1,2,z"], ("test.csv", "'z'", "not in the training rows")),
        ("a,label", ["1,x"], ("test.csv", "1 features", "training rows 2")),
        ("b,a,label", ["1,2,x"], ("other feature columns",)),
        ("a,b,label", ["1,nan,x"], ("column 'b'", "NaN")),
    ],
)
def test_a_test_split_that_does_not_fit_is_refused(tmp_path, header, rows, words):
    train = table(tmp_path / "train.csv", ["1,2,x", "3,4,y"])
    test = table(tmp_path / "test.csv", rows, header=header)
    refused(train, *words, options=ReadOptions(test=test))


def test_two_test_splits_are_refused(tmp_path):
    x, y = two_classes()
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    np.savez(tmp_path / "b.npz", X=x, y=y)
    refused(tmp_path / "a.npz", "a test split of its own", options=ReadOptions(test=tmp_path / "b.npz"))
    refused(tmp_path / "b.npz", "a split of its own", options=ReadOptions(test=tmp_path / "a.npz"))


def test_a_test_split_of_another_kind_is_refused(tmp_path):
    x, y = two_classes()
    np.savez(tmp_path / "b.npz", X=x, y=y)
    train = table(tmp_path / "train.csv", ["1,2,x", "3,4,y"])
    refused(train, "an .npz archive", "a CSV table", options=ReadOptions(test=tmp_path / "b.npz"))


def test_a_grey_and_a_colour_side_become_colour(tmp_path):
    image_folder(tmp_path / "train")
    image_folder(tmp_path / "test", shape=(6, 5, 3))
    data = read(tmp_path / "train", ReadOptions(test=tmp_path / "test"))
    assert data.images.shape == (12, 6, 5, 3)
    assert np.array_equal(data.features, data.images.reshape(12, -1).astype(np.float32) / np.float32(255))
    other = read(tmp_path / "test", ReadOptions(test=tmp_path / "train"))
    assert np.array_equal(other.images[:6], data.images[6:])


def test_sides_of_other_sizes_are_refused(tmp_path):
    image_folder(tmp_path / "train")
    image_folder(tmp_path / "test", shape=(5, 6))
    options = ReadOptions(test=tmp_path / "test")
    refused(tmp_path / "train", "5x6", "6x5", "--size", options=options)


def test_skipped_images_drop_out_of_labels_ids_and_split(tmp_path):
    image_folder(tmp_path / "train")
    image_folder(tmp_path / "test")
    (tmp_path / "train" / "cat" / "1.png").write_bytes(b"x")
    (tmp_path / "test" / "dog" / "2.png").write_bytes(b"")
    data = read(tmp_path / "train", ReadOptions(test=tmp_path / "test", skip_bad=True))
    assert data.labels.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 1, 1]
    assert data.row_ids[[1, 9]].tolist() == ["train/cat/2.png", "test/dog/1.png"]
    assert data.is_test.tolist() == [False] * 5 + [True] * 5
    assert len(data.images) == 10


def test_a_class_that_skipping_leaves_with_one_image_is_refused(tmp_path):
    image_folder(tmp_path, each=2)
    (tmp_path / "cat" / "1.png").write_bytes(b"x")
    refused(tmp_path, "'cat' has one row", options=ReadOptions(skip_bad=True))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], ("no rows",)),
        (["1,2,x", "3,4,x"], ("every row has the label 'x'", "two classes")),
        (["1,2,x", "3,4,y", "3,4,x"], ("'y' has one row", "two of each")),
        (["1,2,x", "3,4,", "5,6,"], ("row 1", "no label", "2 in all")),
        (["1,2,x", ",4,y", "nan,,y"], ("row 1", "column 'a'", "NaN or empty", "3 values")),
        (["1,2,x", "3,inf,y"], ("row 1", "column 'b'", "inf", "finite")),
        (["1,2,x", "-Infinity,1,y"], ("column 'a'", "-inf")),
    ],
)
def test_what_must_hold_of_any_data(tmp_path, rows, words):
    refused(table(tmp_path / "a.csv", rows), "a.csv", *words)


def test_classes_with_one_row_are_counted(tmp_path):
    rows = [f"{value},1,c{value}" for value in range(9)]
    refused(table(tmp_path / "a.csv", rows), "9 such classes of 9", "another label column")


def test_where_labels_are_not_needed_nothing_of_them_is_checked(tmp_path):
    free = ReadOptions(labelled=False)
    one = read(table(tmp_path / "a.csv", ["1,2,x"]), free)
    assert (one.labels.tolist(), one.class_names) == ([0], ("x",))
    none = read(table(tmp_path / "b.csv", ["1,2,3"], header="a,b,c"), free)
    assert (none.labels, none.class_names, none.features.tolist()) == (None, (), [[1, 2, 3]])
    some = read(table(tmp_path / "c.csv", ["1,2,x", "3,4,"]), free)
    assert some.labels is None
    assert "1 labels are missing, the first in row 1" in some.notes[0]
    gone = read(table(tmp_path / "d.csv", ["1,2,3"], header="a,b,lable"), ReadOptions(labelled=False, label="label"))
    assert gone.labels is None
    assert "did you mean 'lable'?" in gone.notes[0]
    refused(table(tmp_path / "e.csv", ["1,nan,x"]), "NaN", options=free)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["p", "q", "p"], ("0 and 2", "same id 'p'")),
        (["p", "", "q"], ("row 1", "is empty")),
        (["p", "q" * 1001, "r"], ("1001",)),
    ],
)
def test_ids_must_name_one_row_each(tmp_path, ids, words):
    rows = [f"{place},{name},x" for place, name in enumerate(ids)]
    path = table(tmp_path / "a.csv", rows, header="a,id,label")
    refused(path, *words, options=ReadOptions(ids="id"))


HOSTILE = [
    "<script>alert(1)</script>",
    'new\nline,"quoted"',
    "\u202egnp.exe",
    "'; DROP TABLE",
    " space ",
    "é\U0001f600",
]


def test_hostile_labels_and_ids_survive_as_text(tmp_path):
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a", "id", "label"])
        for place, name in enumerate(HOSTILE * 2):
            writer.writerow([place, f"{name}{place}", name])
    data = read(tmp_path / "a.csv", ReadOptions(ids="id"))
    assert [data.class_names[code] for code in data.labels] == HOSTILE * 2
    assert data.row_ids.tolist() == [f"{name}{place}" for place, name in enumerate(HOSTILE * 2)]


def test_bytes_that_are_not_utf8_become_replacement_characters(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,label,n\xe9\n1,caf\xe9,1\n2,x,1\n3,caf\xe9,1\n4,x,1\n")
    data = read(tmp_path / "a.csv")
    assert data.class_names == ("caf\ufffd", "x")
    assert data.feature_names == ("a", "n\ufffd")


def test_hostile_file_names_survive_as_text(tmp_path):
    names = [b"new\nline<b>", b"\xff\xfe", b"\xff\xfd", "é".encode()]
    for name in names:
        folder = tmp_path / os.fsdecode(name)
        folder.mkdir()
        for image in (b"\xe9.png", b"\xe8.png"):
            (folder / os.fsdecode(image)).write_bytes(png(pixels(4, 4)))
    data = read(tmp_path)
    assert data.class_names == ("new\nline<b>", "é", "\ufffd\ufffd", "\ufffd\ufffd (2)")
    assert len(set(data.row_ids.tolist())) == 8
    "".join(data.row_ids.tolist()).encode("utf-8")


def test_the_file_itself_may_have_a_hostile_name(tmp_path):
    x, y = two_classes()
    archive = tmp_path / os.fsdecode(b"\xff\n<i>.npz")
    np.savez(archive, X=x, y=y)
    assert read(archive).name == "\ufffd\n<i>"
    refused(archive, "\ufffd\\n<i>.npz", options=ReadOptions(sample=100))
    rows = tmp_path / os.fsdecode(b"\xfe.csv")
    assert read(table(rows, ["1,2,x", "2,3,y", "3,4,x", "4,5,y"])).name == "\ufffd"
    refused(table(rows, ["1,2,x", "q,3,y"]), "'q'")
