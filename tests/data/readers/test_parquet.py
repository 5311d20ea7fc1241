import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.making import pixels, png, refused, two_classes
from gradus.data import ReadOptions, read

X, Y = two_classes()


def written(tmp_path, columns, features=None, rows_a_group=7):
    table = pa.table(columns)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=rows_a_group)
    return tmp_path / "a.parquet"


def image_column(arrays):
    cells = [{"bytes": png(array), "path": None} for array in arrays]
    return pa.array(cells, pa.struct({"bytes": pa.binary(), "path": pa.string()}))


def test_numbers_are_read_as_pandas_reads_them(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": random.normal(size=50),
            "b": random.normal(size=50).astype(np.float32),
            "c": random.integers(0, 9, 50).astype(np.int16),
            "label": random.choice(["x", "<b>"], 50),
            "d": random.random(50) < 0.5,
        }
    )
    path = written(tmp_path, frame)
    data, theirs = read(path), pd.read_parquet(path)
    assert np.array_equal(data.features, theirs[list("abcd")].to_numpy(dtype=np.float64))
    assert data.feature_names == tuple("abcd")
    assert [data.class_names[code] for code in data.labels] == theirs["label"].tolist()
    assert data.features.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.arange(20, dtype=np.int64), np.float32),
        (np.arange(20, dtype=np.int64) + 2**40, np.float64),
        (np.arange(20, dtype=np.float16), np.float32),
        ([decimal.Decimal(f"{value}.25") for value in range(20)], np.float64),
    ],
)
def test_number_types_keep_their_values(tmp_path, values, kind):
    data = read(written(tmp_path, {"a": values, "label": Y}))
    assert data.features.dtype == kind
    assert data.features[:, 0].tolist() == [float(value) for value in values]


@pytest.mark.parametrize(
    "kind",
    [
        *[pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 3)],
        *[pa.list_(pa.float64()), pa.list_(pa.int32())],
    ],
)
@pytest.mark.parametrize("chosen", [None, 11])
def test_lists_are_embeddings(tmp_path, kind, chosen):
    values = np.round(X * 100) if pa.types.is_integer(kind.value_type) else X
    vector = pa.array(values.tolist(), kind)
    path = written(tmp_path, {"id": np.arange(20), "vector": vector, "label": Y, "text": ["t"] * 20})
    data = read(path, ReadOptions(ids="id", sample=chosen))
    rows = data.row_ids.astype(int)
    assert len(rows) == (chosen or 20)
    assert np.array_equal(data.features, values[rows])
    assert data.features.dtype == (np.float64 if kind.value_type == pa.float64() else np.float32)
    assert np.array_equal(data.labels, Y[rows])
    assert "'vector'; 'text' were left out" in data.notes[0]


@pytest.mark.parametrize("chosen", [None, 9])
def test_images_are_decoded_and_classes_declared(tmp_path, chosen):
    arrays = pixels(20, 6, 5, 3)
    features = {"image": {"_type": "Image"}, "fine": {"_type": "ClassLabel", "names": ["zebra", "absent", "ant"]}}
    path = written(tmp_path, {"image": image_column(arrays), "fine": 2 * Y}, features)
    data = read(path, ReadOptions(sample=chosen))
    rows = data.row_ids.astype(int)
    assert np.array_equal(data.images, arrays[rows])
    assert data.class_names == ("zebra", "ant")
    assert np.array_equal(data.labels, Y[rows])
    assert any("1 of 3 declared classes" in note for note in data.notes)


def test_only_the_images_of_a_sample_are_decoded(tmp_path):
    cells = image_column(pixels(20, 6, 5)).to_pylist()
    path = written(tmp_path, {"image": cells, "label": Y})
    taken = read(path, ReadOptions(sample=6)).row_ids.astype(int)
    for row in set(range(20)) - set(taken.tolist()):
        cells[row]["bytes"] = b"damaged"
    path = written(tmp_path, {"image": cells, "label": Y})
    assert read(path, ReadOptions(sample=6)).images.shape == (6, 6, 5, 1)
    refused(path, "14 of 20 images", "image of row")
    assert len(read(path, ReadOptions(skip_bad=True))) == 6


def test_images_are_resized(tmp_path):
    path = written(tmp_path, {"image": image_column(pixels(20, 6, 5)), "label": Y})
    assert read(path, ReadOptions(size=(3, 4), channels=3)).images.shape == (20, 3, 4, 3)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (Y + 9, ("9", "10")),
        (Y.astype(bool), ("False", "True")),
        (Y.astype(np.float64), ("0", "1")),
        (pa.array(["b", "a"] * 10).dictionary_encode(), ("a", "b")),
        (pa.array(["b", "a"] * 10, pa.large_string()), ("a", "b")),
        (pa.array([b"b\xff", b"a"] * 10, pa.binary()), ("a", "b\ufffd")),
    ],
)
def test_labels_of_any_type(tmp_path, labels, names):
    data = read(written(tmp_path, {"a": X[:, 0], "label": labels}))
    assert data.class_names == names
    assert np.bincount(data.labels).tolist() == [10, 10]


def vectors(*lengths):
    return [[0.0] * length if length >= 0 else None for length in lengths]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"label": Y}, ("no features",)),
        ({"a": X[:0, 0], "label": Y[:0]}, ("no rows",)),
        ({"a": X[:, 0], "b": X[:, 0]}, ("no column is called", "'a', 'b'")),
        ({"a": X[:, 0], "t": [None, "hot", *["cold"] * 18], "label": Y}, ("'t'", "string", "'hot' in row 1", "--ids")),
        ({"v": vectors(3, 3, 2, 3), "label": [0, 1, 0, 1]}, ("row 2", "2 values", "expected 3")),
        ({"v": vectors(*[3] * 19, 4), "label": Y}, ("row 19", "4 values", "expected 3")),
        ({"v": vectors(3, -1, 3, 3), "label": [0, 1, 0, 1]}, ("row 1", "missing")),
        ({"v": pa.array(vectors(*[0] * 4), pa.list_(pa.float32())), "label": [0, 1, 0, 1]}, ("no features",)),
        ({"v": [[1.0, None], [1.0, 2.0]] * 2, "label": [0, 1, 0, 1]}, ("row 0", "column 1", "NaN or empty")),
        ({"v": vectors(*[3] * 20), "w": vectors(*[3] * 20), "label": Y}, ("'v', 'w'", "lists")),
        ({"a": [1.0, None, 2.0, 3.0], "label": [0, 1, 0, 1]}, ("row 1", "column 'a'", "NaN or empty")),
        ({"a": X[:4, 0], "label": [0, 1, None, 1]}, ("row 2", "no label")),
        ({"a": X[:4, 0], "label": [[0], [1], [0], [1]]}, ("list", "--label")),
    ],
)
def test_what_is_wrong_is_said(tmp_path, columns, words):
    refused(written(tmp_path, columns), "a.parquet", *words)


def test_codes_beyond_the_declared_names_and_unlabelled_rows(tmp_path):
    features = {"label": {"_type": "ClassLabel", "names": ["p", "q"]}}
    refused(written(tmp_path, {"a": X[:, 0], "label": Y * 5}, features), "is 5", "declares 2 classes")
    refused(written(tmp_path, {"a": X[:, 0], "label": Y - 1}, features), "row 0", "no label", "10 in all")


def test_other_programs_metadata_is_no_declaration(tmp_path):
    path = written(tmp_path, {"a": X[:, 0], "label": Y}, ["not", "what", "is", "expected"])
    assert read(path).class_names == ("0", "1")


def test_a_size_without_images_is_refused(tmp_path):
    path = written(tmp_path, {"v": X.tolist(), "label": Y})
    refused(path, "no images", "--size", options=ReadOptions(size=(3, 3)))
    refused(written(tmp_path, {"a": Y, "label": Y}), "no images", options=ReadOptions(channels=1))


def test_damage_is_said(tmp_path):
    columns = {"a": np.random.default_rng(0).normal(size=5000), "label": np.arange(5000) % 2}
    path = written(tmp_path, columns, rows_a_group=5000)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PAR1", b"text", b"\0" * 3000 + whole[3000:]):
        path.write_bytes(damaged)
        refused(path, "a.parquet")
