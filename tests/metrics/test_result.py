"""What a result looks like."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from gradus.metrics import Policy, top_k_errors
from metrics.metric_samples import sample


class Text(HTMLParser):
    """Collects tags and text."""

    def __init__(self):
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_dictionary_is_the_run_directory_s():
    labels, scores = sample(100, 6)
    result = top_k_errors(labels, scores, k=(1, 2, 5))
    content = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert content["interval"] == {"method": "wilson", "level": 0.95}
    assert [entry["k"] for entry in content["top_k"]] == [1, 2, 5]
    fields = {"k", "error", "low", "high", "optimistic", "pessimistic", "macro", "macro_low", "macro_high"}
    assert all(fields <= set(entry) for entry in content["top_k"])
    assert content["top_k"][1]["error"] == result[2].error == result.error[1]
    entry = content["per_class"][3]
    assert set(entry) == {"class", "rows", "error", "low", "high", "top_k"}
    assert entry["error"] == result.per_class.error[3, 0]
    assert entry["top_k"]["k"] == 5
    assert entry["top_k"]["error"] == result.per_class.error[3, 2]
    assert content["ties"] == result.ties


def test_arrays_run_along_k():
    labels, scores = sample(100, 6)
    result = top_k_errors(labels, scores, k=(5, 1, 2, 2))
    assert result.k == (1, 2, 5)
    for name in ("error", "low", "high", "optimistic", "pessimistic", "macro"):
        assert getattr(result, name).shape == (3,)
    assert (np.diff(result.error) <= 0).all()
    assert result.per_class.error.shape == (6, 3)


def test_table_states_what_it_is_of():
    labels, scores = sample(1200, 6)
    text = str(top_k_errors(labels, scores, k=(1, 3)))
    lines = text.splitlines()
    assert lines[0] == "Top-k error of 1,200 rows, 6 classes; Wilson intervals at 0.95; ties 0.00%"
    assert lines[1].split() == ["k", "error", "interval", "macro", "interval"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "3"]
    assert repr(top_k_errors(labels, scores, k=(1, 3))) == text


def test_readings_of_ties_are_shown_where_there_are_ties():
    labels, scores = sample(100, 6, decimals=0)
    assert "pessimistic" in str(top_k_errors(labels, scores, k=1))


def test_html_is_a_table_with_hostile_text_escaped():
    hostile = Policy(classes=("<script>alert(1)</script>", "b", "absent"))
    result = top_k_errors(["b", "b"], np.eye(3)[:2], k=1, policy=hostile)
    reader = Text()
    reader.feed(result._repr_html_())
    assert "script" not in reader.tags
    assert reader.tags.count("td") == 5 if result.ties == 0 else 7
    assert any("Classes without rows: 2 of 3" in words for words in reader.words)


@pytest.mark.parametrize("interval_text", ["Clopper-Pearson", "bootstrap"])
def test_methods_are_named(interval_text):
    from gradus.metrics import Bootstrap, ClopperPearson

    labels, scores = sample(50, 3)
    interval = ClopperPearson(0.9) if interval_text == "Clopper-Pearson" else Bootstrap(10, level=0.9)
    assert f"{interval_text} intervals at 0.9" in str(top_k_errors(labels, scores, k=1, interval=interval))
