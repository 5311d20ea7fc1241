from hypothesis import given
from hypothesis import strategies as st

from gradus.data.text import LONGEST_QUOTE, listed, quoted, readable, readable_and_distinct

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@given(anything)
def test_readable_text_can_be_encoded_and_keeps_its_length(text):
    clean = readable(text)
    clean.encode("utf-8")
    assert "\0" not in clean
    assert len(clean) == len(text)
    assert readable(clean) == clean


@given(st.lists(anything, max_size=12))
def test_distinct_names_are_distinct_and_begin_as_they_did(names):
    distinct = readable_and_distinct(names)
    assert len(set(distinct)) == len(names)
    assert all(after.startswith(readable(before)) for before, after in zip(names, distinct, strict=True))


def test_names_that_are_fine_are_left_alone():
    assert readable_and_distinct(["a\n", "<b>", "é"]) == ["a\n", "<b>", "é"]


@given(st.text(max_size=300))
def test_a_quote_is_short_and_on_one_line(text):
    assert len(quoted(text)) <= LONGEST_QUOTE
    assert len(quoted(text).splitlines()) == 1


def test_a_list_says_how_many_it_leaves_out():
    assert listed(range(20), most=2) == "'0', '1' and 18 more"
