"""Wrong input and wrong usage: exit code 2, one sentence that helps, no traceback, nothing written."""

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gradus.cli import main


def _csv(path, text):
    path.write_text(text)
    return path


def _npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def _images(path, sizes):
    for number, size in enumerate(sizes):
        folder = path / ("ab"[number % 2])
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", size, color=number * 9).save(folder / f"{number}.png")
    return path


ROWS = "\n".join(f"{i},{i * i % 7},{'ab'[i % 2]}" for i in range(20))
X, Y = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32), np.arange(20) % 2


def _nan():
    spoiled = X.copy()
    spoiled[3, 1] = np.nan
    return spoiled


# name -> (make the input in a folder and return the arguments, words that the sentence must have)
WRONG = {
    "no command": (lambda d: ["frobnicate"], ["frobnicate"]),
    "a misspelt command": (lambda d: ["rum", "digits"], ["rum", "run"]),
    "no data": (lambda d: ["run"], ["DATA"]),
    "a misspelt option": (lambda d: ["run", "digits", "--alhpa", "1"], ["--alhpa"]),
    "an option's value of the wrong type": (lambda d: ["run", "digits", "--seed", "x"], ["seed", "x"]),
    "an option without its value": (lambda d: ["run", "digits", "--seed"], ["seed"]),
    "a negative strength": (lambda d: ["run", "digits", "--alpha", "-1"], ["--alpha", "-1"]),
    "an l1 ratio above 1": (lambda d: ["run", "digits", "--l1-ratio", "2"], ["--l1-ratio", "2"]),
    "too many threads": (lambda d: ["run", "digits", "--threads", "9999"], ["--threads", "9999"]),
    "too large a perplexity": (
        lambda d: ["map", "digits", "--perplexity", "1000", "--sample", "60"],
        ["--perplexity", "1000", "60 rows", "19.6"],
    ),
    "a missing file": (lambda d: ["run", d / "nowhere.csv"], ["nowhere.csv"]),
    "a near miss of a file": (lambda d: ["run", _csv(d / "birds.csv", "a").with_name("brids.csv")], ["birds.csv"]),
    "an unknown kind of file": (lambda d: ["run", _csv(d / "data.docx", "a")], [".docx", ".parquet"]),
    "a pickle": (
        lambda d: ["run", _csv(d / "data.pkl", pickle.dumps([1, 2]).hex())],
        ["pickle"],
    ),
    "an object array": (
        lambda d: ["run", _npz(d / "o.npz", X=np.array([[1], "a"], dtype=object), y=np.array([0, 1]))],
        ["object"],
    ),
    "NaN in an array": (lambda d: ["run", _npz(d / "n.npz", X=_nan(), y=Y)], ["NaN", "row 3"]),
    "rows and labels of different length": (lambda d: ["run", _npz(d / "l.npz", X=X, y=Y[:-1])], ["20", "19"]),
    "one class only": (lambda d: ["run", _npz(d / "c.npz", X=X, y=Y * 0)], ["class"]),
    "a class with one row": (lambda d: ["run", _npz(d / "r.npz", X=X, y=(np.arange(20) == 7) * 1)], ["class", "row"]),
    "too few rows to choose a strength": (
        lambda d: ["run", _npz(d / "f.npz", X=X[:4], y=Y[:4])],
        ["one training row per class", "--alpha"],
    ),
    "an array without labels": (lambda d: ["run", _npz(d / "u.npz", X=X)], ["label"]),
    "a damaged npz": (lambda d: ["run", _csv(d / "damaged.npz", "not a zip")], ["damaged.npz"]),
    "a ragged table": (lambda d: ["run", _csv(d / "t.csv", "x,z,label\n1,2,a\n1,b\n")], ["t.csv", "3"]),
    "an empty table": (lambda d: ["run", _csv(d / "t.csv", "")], ["t.csv", "empty"]),
    "a table with a header only": (lambda d: ["run", _csv(d / "t.csv", "x,z,label\n")], ["t.csv", "row"]),
    "a missing label column": (
        lambda d: ["run", _csv(d / "t.csv", "x,z,species\n" + ROWS), "--label", "spices"],
        ["spices", "did you mean", "species"],
    ),
    "a column of text": (
        lambda d: ["run", _csv(d / "t.csv", "x,z,label\n" + ROWS.replace("3,2,", "3,two,"))],
        ["'two'", "'z'"],
    ),
    "an empty cell": (lambda d: ["run", _csv(d / "t.csv", "x,z,label\n" + ROWS.replace("3,2,", "3,,"))], ["'z'"]),
    "a ragged list column": (
        lambda d: [
            "run",
            pq.write_table(pa.table({"e": [[1.0, 2.0]] * 5 + [[1.0]], "label": [0, 1] * 3}), d / "e.parquet")
            or d / "e.parquet",
        ],
        ["'e'", "row 5"],
    ),
    "images of mixed sizes": (lambda d: ["run", _images(d / "i", [(8, 8)] * 7 + [(9, 8)])], ["7.png", "--size"]),
    "a corrupt image": (
        lambda d: ["run", (_images(d / "i", [(8, 8)] * 8), _csv(d / "i" / "a" / "bad.png", "no"))[0]],
        ["bad.png", "--skip-bad"],
    ),
    "a folder without classes": (lambda d: ["run", _images(d / "i", [(8, 8)] * 4) / "a"], ["sub-folder"]),
    "a sample of more rows than there are": (lambda d: ["run", "digits", "--sample", "5000"], ["5000", "1797"]),
    "evaluating what is no run": (lambda d: ["evaluate", d], ["config.toml"]),
    "reporting what is not there": (lambda d: ["report", d / "nowhere"], ["nowhere"]),
    "predicting into another kind of file": (
        lambda d: ["predict", d, "digits", "--out", d / "p.xlsx"],
        ["p.xlsx", ".parquet"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_answered_by_one_sentence(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, words = WRONG[name]
    arguments = [str(argument) for argument in make(tmp_path)]
    before = sorted(tmp_path.rglob("*"))
    code = main(arguments)
    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    assert "Traceback" not in told.err
    assert told.err.startswith("gradus: ")
    assert told.err.count("\n") == 1
    for word in words:
        assert word in told.err, told.err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_output_directory_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("precious")
    assert main(["run", "digits", "--out", str(tmp_path)]) == 2
    assert "thesis.tex" in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_fault_of_ours_is_called_so(capsys, monkeypatch):
    def broken(*_):
        raise KeyError("x")

    monkeypatch.setattr("gradus.runs.diagnosis.diagnose", broken)
    assert main(["doctor"]) == 70
    told = capsys.readouterr().err
    assert "fault of gradus" in told
    assert "--debug" in told
    with pytest.raises(KeyError):
        main(["doctor", "--debug"])
