import numpy as np
import pytest
from PIL import Image

from data.making import image_folder, pixels, png, refused
from gradus.data import ReadOptions, read


def test_a_folder_a_class(tmp_path):
    written = image_folder(tmp_path, classes=("10", "9", "2"))
    data = read(tmp_path)
    assert data.class_names == ("2", "9", "10")
    assert sorted(data.row_ids.tolist()) == sorted(written)
    for name, label, image in zip(data.row_ids, data.labels, data.images, strict=True):
        assert name.split("/")[0] == data.class_names[label]
        assert np.array_equal(image[..., 0], written[name])
        with Image.open(tmp_path / name) as picture:
            assert np.array_equal(image[..., 0], np.asarray(picture))
    assert np.array_equal(data.features, data.images.reshape(9, -1).astype(np.float32) / np.float32(255))
    assert (data.name, data.is_test, data.notes) == (tmp_path.name, None, ())


def test_other_files_are_ignored_and_noted_hidden_ones_only_ignored(tmp_path):
    image_folder(tmp_path)
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "cat" / ".hidden.png").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / "cat" / "notes.txt").touch()
    (tmp_path / "preview.png").write_bytes(png(pixels(50, 50)))
    data = read(tmp_path)
    assert len(data) == 6
    assert data.notes == ("2 files that are no image of a class were ignored, the first 'preview.png'.",)


def test_nested_folders_belong_to_their_class(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "cat" / "more").mkdir()
    (tmp_path / "cat" / "more" / "x.png").write_bytes(png(pixels(6, 5)))
    data = read(tmp_path)
    assert data.class_names[data.labels[data.row_ids.tolist().index("cat/more/x.png")]] == "cat"


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "val"), ("train", "validation")])
def test_train_and_test_folders_are_a_given_split(tmp_path, train, test):
    image_folder(tmp_path / train)
    image_folder(tmp_path / test, each=2)
    data = read(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert data.is_test.tolist() == [False] * 6 + [True] * 4
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
    assert data.row_ids[0] == f"{train}/cat/0.png"


def test_of_three_folders_the_validation_rows_are_training_rows(tmp_path):
    for side in ("train", "val", "test", "extra"):
        image_folder(tmp_path / side)
    data = read(tmp_path)
    assert [name.split("/")[0] for name in data.row_ids[~data.is_test]] == ["train"] * 6 + ["val"] * 6
    assert "'val' was read as training rows" in data.notes[0]
    assert "'extra'" in data.notes[1]


def test_train_and_test_may_be_classes(tmp_path):
    image_folder(tmp_path, classes=("train", "test", "plane"))
    assert read(tmp_path).class_names == ("plane", "test", "train")


def test_a_class_of_the_test_folder_alone_is_refused(tmp_path):
    image_folder(tmp_path / "train")
    image_folder(tmp_path / "test", classes=("cat", "bird"))
    refused(tmp_path, "'bird'", "not in the training rows")


def test_a_class_may_have_one_training_image_beside_a_given_test_split(tmp_path):
    image_folder(tmp_path / "train", each=1)
    image_folder(tmp_path / "test", each=1)
    assert len(read(tmp_path)) == 4


def test_sizes_that_differ_are_refused_unless_one_is_asked_for(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "dog" / "big.png").write_bytes(png(pixels(20, 30)))
    refused(tmp_path, "'dog/big.png' is 20x30", "'cat/0.png' is 6x5", "--size")
    assert read(tmp_path, ReadOptions(size=(8, 9))).images.shape == (7, 8, 9, 1)


def test_damaged_images_are_named_and_skipped_on_demand(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "dog" / "0.png").write_bytes(b"x")
    (tmp_path / "dog" / "9.png").symlink_to(tmp_path / "nowhere")
    refused(tmp_path, "2 of 7", "'dog/0.png'", "'dog/9.png'", "--skip-bad")
    data = read(tmp_path, ReadOptions(skip_bad=True))
    assert len(data) == 5
    assert "2 of 7 images" in data.notes[0]


def test_only_the_images_of_a_sample_are_decoded(tmp_path):
    image_folder(tmp_path, each=10)
    taken = set(read(tmp_path, ReadOptions(sample=8)).row_ids.tolist())
    for path in tmp_path.rglob("*.png"):
        if path.relative_to(tmp_path).as_posix() not in taken:
            path.write_bytes(b"x")
    assert set(read(tmp_path, ReadOptions(sample=8)).row_ids.tolist()) == taken


def test_loops_end_and_bring_no_other_class_in(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "cat" / "loop").symlink_to(tmp_path)
    assert len(read(tmp_path)) == 6


def test_images_without_classes(tmp_path):
    image_folder(tmp_path, classes=("one",))
    flat = tmp_path / "one"
    refused(flat, "3 images but no class folders", "one sub-folder of images per class")
    data = read(flat, ReadOptions(labelled=False))
    assert (len(data), data.labels, data.row_ids.tolist()) == (3, None, ["0.png", "1.png", "2.png"])
    assert read(tmp_path, ReadOptions(labelled=False)).class_names == ("one",)


def test_what_is_wrong_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no class folders", "one sub-folder of images per class")
    refused(tmp_path / "empty", "no images", options=ReadOptions(labelled=False))
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "train.parquet").touch()
    refused(tmp_path / "shards", "'train.parquet'")
    image_folder(tmp_path / "some")
    (tmp_path / "some" / "fish").mkdir()
    refused(tmp_path / "some", "'fish' holds no images")
    image_folder(tmp_path / "outer" / "inner")
    refused(tmp_path / "outer", "'inner'", "2 of its own", "give that folder")
    image_folder(tmp_path / "alone", classes=("cat",))
    refused(tmp_path / "alone", "every row has the label 'cat'")
