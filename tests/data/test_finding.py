import os
from pathlib import Path

import numpy as np
import pytest

from data.making import image_folder, refused, two_classes
from gradus.core.errors import InputError
from gradus.data import ReadOptions, read
from gradus.data.finding import explained


def test_a_near_name_is_offered(tmp_path):
    features, labels = two_classes()
    np.savez(tmp_path / "vectors.npz", X=features, y=labels)
    refused(tmp_path / "vector.npz", "no such file", "did you mean 'vectors.npz'?")
    refused("digit", "did you mean 'digits'?")
    refused(tmp_path / "no" / "where.npz", "no such file")
    refused("a\0b", "no such file")


@pytest.mark.parametrize("name", ["m.pkl", "m.pt", "m.joblib", "m.pth", "m.PICKLE"])
def test_pickles_are_refused_by_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    refused(tmp_path / name, "pickle", "never loaded", "numpy.savez")
    assert not (Path.cwd() / "pwned").exists()


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    (tmp_path / "a.xlsx").touch()
    (tmp_path / "noending").touch()
    refused(tmp_path / "a.xlsx", "'.xlsx' is not known", ".npz", ".npy", ".csv", ".tsv", ".parquet", "folder")
    refused(tmp_path / "noending", "no ending")


def test_a_broken_link_is_said_to_be_one(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere.csv")
    refused(tmp_path / "a.csv", "link")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (ReadOptions(label="y"), "--label"),
        (ReadOptions(labels=Path("y.npy")), "--labels"),
        (ReadOptions(ids="id"), "--ids"),
        (ReadOptions(size=(3, 3)), "an image folder"),
        (ReadOptions(channels=1), "channels"),
        (ReadOptions(test=Path("digits")), "--test"),
    ],
)
def test_an_option_without_a_use_is_refused_not_dropped(options, word):
    refused("digits", "the bundled digits has no use for it", word, options=options)


def test_sizes_and_channels_that_mean_nothing_are_refused(tmp_path):
    image_folder(tmp_path)
    refused(tmp_path, "(0, 3)", "height", options=ReadOptions(size=(0, 3)))
    refused(tmp_path, "is 2", "colour", options=ReadOptions(channels=2))


def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    refused(tmp_path / "a.csv", "a pipe or a device")


def test_a_folder_that_may_not_be_searched(tmp_path, monkeypatch):
    def deny(path):
        raise PermissionError(13, "Permission denied", str(path))

    image_folder(tmp_path)
    monkeypatch.setattr(Path, "is_dir", deny)
    refused(tmp_path, "permission to read it is denied")


def test_capital_endings_are_known(tmp_path):
    (tmp_path / "A.CSV").write_text("a,label\n1,x\n2,y\n3,x\n4,y\n")
    assert read(tmp_path / "A.CSV").features.tolist() == [[1], [2], [3], [4]]


def test_a_file_without_permission(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("a,label\n1,x\n")

    def deny(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "a.csv"))

    monkeypatch.setattr(Path, "open", deny)
    refused(tmp_path / "a.csv", "a.csv", "permission to read it is denied")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_without_permission(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "cat").chmod(0)
    refused(tmp_path, "permission")
    (tmp_path / "cat").chmod(0o755)


@pytest.mark.parametrize(
    ("error", "word"), [(OSError(5, "Input/output error"), "Input/output"), (MemoryError(), "memory")]
)
def test_what_the_machine_says_becomes_a_sentence(error, word):
    with pytest.raises(InputError, match=word), explained("here.csv"):
        raise error
