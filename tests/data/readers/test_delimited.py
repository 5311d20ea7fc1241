import gzip

import numpy as np
import pandas as pd
import pytest

from data.making import refused
from gradus.data import ReadOptions, read


@pytest.mark.parametrize(
    ("name", "separator"),
    [("a.csv", ","), ("a.tsv", "\t"), ("a.csv.gz", ","), ("a.tsv.gz", "\t"), ("a.csv", ";")],
)
def test_it_is_read_as_pandas_reads_it(tmp_path, name, separator):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        random.normal(size=(300, 4)) * 10.0 ** random.integers(-30, 30, (300, 4)), columns=list("abcd")
    )
    frame.insert(2, "label", random.choice(["x", "y,z", 'q"', "new\nline"], 300))
    frame.to_csv(tmp_path / name, sep=separator, index=False)
    data = read(tmp_path / name)
    theirs = pd.read_csv(tmp_path / name, sep=separator)
    assert np.array_equal(data.features, frame[list("abcd")].to_numpy())  # written with repr, which is exact
    assert [data.class_names[code] for code in data.labels] == theirs["label"].tolist()
    assert data.feature_names == tuple("abcd")
    assert (data.name, data.features.dtype, data.features.flags.c_contiguous) == ("a", np.float64, True)


def test_whole_numbers_are_float32(tmp_path):
    (tmp_path / "a.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    assert read(tmp_path / "a.csv").features.dtype == np.float32


def test_a_value_that_becomes_a_fraction_late_is_read(tmp_path):
    rows = [f"{row},{row % 2}" for row in range(200_000)]
    (tmp_path / "a.csv").write_text("a,label\n" + "\n".join([*rows, "0.5,1"]) + "\n")
    assert read(tmp_path / "a.csv").features[-1, 0] == 0.5


def test_rows_of_a_megabyte_are_read(tmp_path):
    values = np.random.default_rng(0).normal(size=(4, 60_000))
    frame = pd.DataFrame(values, columns=[f"c{column}" for column in range(60_000)])
    frame["y"] = [0, 1, 0, 1]
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert np.array_equal(read(tmp_path / "a.csv").features, values)


def test_label_and_ids_are_columns_that_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("name,kind,a\np,1.0,5\nq,10.0,6\nr,1.0,7\ns,10.0,8\n")
    data = read(tmp_path / "a.csv", ReadOptions(label="kind", ids="name"))
    assert data.class_names == ("1", "10")
    assert data.row_ids.tolist() == list("pqrs")
    assert data.feature_names == ("a",)


def test_a_byte_order_mark_a_quoted_header_and_empty_lines_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbf"a\nb",label\r\n1,x\r\n\r\n2,y\r\n3,x\r\n4,y')
    data = read(tmp_path / "a.csv")
    assert data.feature_names == ("a\nb",)
    assert data.features.tolist() == [[1], [2], [3], [4]]


def test_a_data_frames_counter_is_left_out_and_noted(tmp_path):
    frame = pd.DataFrame({"a": [3.0, 1.0, 2.0, 4.0], "label": list("xyxy")})
    frame.to_csv(tmp_path / "a.csv")
    data = read(tmp_path / "a.csv")
    assert data.feature_names == ("a",)
    assert data.features.tolist() == [[3], [1], [2], [4]]
    assert "left out" in data.notes[0]


@pytest.mark.parametrize("label", ["label", "Target", "CLASS", "y", " Y "])
def test_usual_label_columns_are_found(tmp_path, label):
    (tmp_path / "a.csv").write_text(f"a,{label}\n1,p\n2,q\n3,p\n4,q\n")
    assert read(tmp_path / "a.csv").class_names == ("p", "q")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", None, ("empty",)),
        ("\n\n", None, ("empty",)),
        ("a,label\n", None, ("no rows",)),
        ("label\nx\ny\n", None, ("no features",)),
        ("1,2\n3,4\n", None, ("first line holds numbers", "column names")),
        ("a,kind\n1,x\n", None, ("no column is called label, target, class or y", "'a', 'kind'", "--label")),
        ("a,y,Label\n1,2,3\n", None, ("'y', 'Label'", "could all be the label")),
        ("a,kind\n1,x\n", ReadOptions(label="kid"), ("no column 'kid'", "did you mean 'kind'?")),
        ("a,kind,kind\n1,x,y\n", ReadOptions(label="kind"), ("2 columns are called 'kind'",)),
        ("a,label\n1,x\n", ReadOptions(ids="idd"), ("no column 'idd'", "--ids")),
        ("a,label\n1,x\n", ReadOptions(ids="label"), ("label and as ids",)),
        ("a,b,label\n1,2,x\n3,y\n", None, ("row 1", "2 cells", "'3,y'", "expected 3")),
        ("a,b,label\n1,2,x\n3,4,y,5\n", None, ("row 1", "4 cells")),
        ("a,b,label\n1,2,x\n3,4 kg,y\n", None, ("column 'b'", "'4 kg'", "row 1", "--ids")),
        ("a,b,label\n1,True,x\n3,False,y\n", None, ("column 'b'", "'True'", "row 0")),
        ("a,label\n1,0.5\n2,1.5\n", None, ("0.5", "not a class")),
        ('a,label\n1,"x\n2,y\n', None, ("a.csv",)),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, options, words):
    (tmp_path / "a.csv").write_text(text)
    refused(tmp_path / "a.csv", "a.csv", *words, options=options)


def test_a_fault_far_down_is_named(tmp_path):
    rows = [f"{row},{row % 2}" for row in range(100_000)]
    rows[77_777] = "oops,1"
    (tmp_path / "a.csv").write_text("a,label\n" + "\n".join(rows) + "\n")
    refused(tmp_path / "a.csv", "row 77777", "'oops'")
    rows[77_777] = "1"
    (tmp_path / "a.csv").write_text("a,label\n" + "\n".join(rows) + "\n")
    refused(tmp_path / "a.csv", "row 77777", "1 cells")


def test_damage_is_said(tmp_path):
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(b"a,label\n" + b"1,x\n2,y\n" * 5000)
    for damaged in (whole[: len(whole) // 2], b"not gzip", whole[:20] + b"\0\0\0" + whole[23:]):
        path.write_bytes(damaged)
        refused(path, "a.csv.gz", "damaged")
    (tmp_path / "b.csv").write_bytes(np.random.default_rng(0).bytes(200_000))
    refused(tmp_path / "b.csv", "b.csv")
