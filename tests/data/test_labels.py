import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder

from gradus.core.errors import InputError
from gradus.data.labels import concatenated, from_array, from_cells, from_declared, from_numbers, from_text


@given(st.lists(st.text(min_size=1, max_size=4).filter(lambda text: text.strip() and "\0" not in text), min_size=1))
def test_text_keeps_its_classes(values):
    labels = from_text(values)
    assert [labels.class_names[code] for code in labels.codes] == values
    assert len(set(labels.class_names)) == len(labels.class_names)


def test_text_that_is_not_integers_is_ordered_as_scikit_learn_orders_it():
    values = ["b", "a10", "a9", "b", "é"]
    labels, encoder = from_text(values), LabelEncoder().fit(values)
    assert labels.class_names == tuple(encoder.classes_)
    assert labels.codes.tolist() == encoder.transform(values).tolist()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.array([10, 9, -1], dtype=np.int8), ("-1", "9", "10")),
        (np.array([True, False]), ("False", "True")),
        (np.array([2.0, 1.0], dtype=np.float16), ("1", "2")),
        (np.array([2**63], dtype=np.uint64), (str(2**63),)),
        (np.array(["10", "9"]), ("9", "10")),
        (np.array([b"caf\xe9", b"x"]), ("caf\ufffd", "x")),
        (np.array([[1], [0]]), ("0", "1")),
    ],
)
def test_arrays_of_any_plain_type_are_labels(values, names):
    labels = from_array(values, "y")
    assert labels.class_names == names
    assert labels.codes.dtype == np.int64


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (np.array([1.0, 2.5]), "2.5"),
        (np.array([1.0, np.inf]), "inf"),
        (np.eye(3), "argmax"),
        (np.array([1j, 2j]), "complex"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "datetime64"),
    ],
)
def test_what_is_not_a_class_is_refused(values, word):
    with pytest.raises(InputError, match=word):
        from_array(values, "y")


def test_missing_labels_have_no_class():
    assert from_numbers(np.array([1.0, np.nan, 0.0]), "y").codes.tolist() == [1, -1, 0]
    assert from_text(["b", " ", "a"]).codes.tolist() == [1, -1, 0]


def test_cells_are_numbers_only_where_all_of_them_are():
    assert from_cells(["1.0", "2.00", "nan"], "y").class_names == ("1", "2")
    assert from_cells(["01", "1"], "y").class_names == ("01", "1")
    assert from_cells(["1.5", "x"], "y").class_names == ("1.5", "x")
    with pytest.raises(InputError, match=r"2\.5"):
        from_cells(["1.0", "2.5"], "y")


def test_declared_names_keep_their_order():
    labels = from_declared(np.array([1, 0, -1]), ["z", "a"], "label")
    assert (labels.class_names, labels.codes.tolist()) == (("z", "a"), [1, 0, -1])
    with pytest.raises(InputError, match="declares 2 classes"):
        from_declared(np.array([0, 2]), ["z", "a"], "label")


def test_concatenation_translates_names_and_refuses_new_ones():
    train = from_text(["b", "a", "c"])
    both = concatenated(train, from_text(["c", "", "b"]), "test.csv")
    assert both.codes.tolist() == [1, 0, 2, 2, -1, 1]
    with pytest.raises(InputError, match=r"test\.csv.*'d'"):
        concatenated(train, from_text(["d"]), "test.csv")
