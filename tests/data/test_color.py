"""The column that colours a map: numbers stay features, text is none, and wrong names are refused."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradus.core.errors import InputError
from gradus.data import ReadOptions, read

TEXT = "size,kind,label\n1,a,x\n2,b,y\n3,b,x\n4,,y\n"


@pytest.fixture
def tables(tmp_path):
    columns = {"size": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "b", "b", None], "label": ["x", "y", "x", "y"]}
    (tmp_path / "t.csv").write_text(TEXT)
    with gzip.open(tmp_path / "t.tsv.gz", "wt") as stream:
        stream.write((tmp_path / "t.csv").read_text().replace(",", "\t"))
    kind = pa.array(columns["kind"]).dictionary_encode()
    pq.write_table(pa.table({**columns, "kind": kind}), tmp_path / "t.parquet")
    np.savez(
        tmp_path / "t.npz", X=np.arange(8.0).reshape(4, 2), y=[0, 1, 0, 1], kind=["a", "b", "b", "c"], size=[1, 2, 3, 4]
    )
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.parquet", "t.npz"])
def test_text_is_no_feature_and_a_number_stays_one(tables, name):
    by_text = read(tables / name, ReadOptions(color="kind"))
    assert by_text.color.name == "kind" and not by_text.color.is_number
    assert by_text.color.values.tolist()[:3] == ["a", "b", "b"]
    if name == "t.npz":
        assert by_text.features.shape == (4, 2)
        assert read(tables / name, ReadOptions(color="size")).color.values.tolist() == [1, 2, 3, 4]
        return
    assert by_text.feature_names == ("size",)
    assert by_text.color.values[3] == ""
    assert by_text.labels.tolist() == [0, 1, 0, 1]


def test_a_number_is_a_feature_too_and_the_label_can_be_the_colour(tmp_path):
    (tmp_path / "n.csv").write_text("size,mass,label\n1,0.5,x\n2,7,y\n3,8,x\n4,2.5,y\n")
    found = read(tmp_path / "n.csv", ReadOptions(color="mass"))
    assert found.feature_names == ("size", "mass")
    assert found.features[:, 1].tolist() == found.color.values.tolist() == [0.5, 7, 8, 2.5]
    label = read(tmp_path / "n.csv", ReadOptions(color="label"))
    assert label.color.values.tolist() == ["x", "y", "x", "y"] and label.labels.tolist() == [0, 1, 0, 1]


def test_a_sample_and_a_test_split_keep_the_colours_of_their_rows(tmp_path):
    rows = "".join(f"{row},{'ab'[row % 2]},{'xy'[row % 2]}\n" for row in range(40))
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("size,kind,label\n" + rows)
    found = read(tmp_path / "train.csv", ReadOptions(color="kind", sample=10, test=tmp_path / "test.csv"))
    assert found.color.values.tolist() == ["ab"[int(row) % 2] for row in found.features[:, 0]]


@pytest.mark.parametrize(
    ("name", "color", "words"),
    [
        ("t.csv", "kid", "did you mean 'kind'"),
        ("t.parquet", "kid", "did you mean 'kind'"),
        ("t.npz", "kid", "color names 'kid'"),
        ("t.npz", "X", "color names 'X'"),
    ],
)
def test_a_column_that_is_not_there_is_refused(tables, name, color, words):
    with pytest.raises(InputError, match=words):
        read(tables / name, ReadOptions(color=color))


def test_formats_without_columns_have_no_use_for_a_colour():
    with pytest.raises(InputError, match="a column to colour by"):
        read("digits", ReadOptions(color="kind"))
