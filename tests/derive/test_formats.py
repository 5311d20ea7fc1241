"""Every formula in every format: well-formed LaTeX, HTML and JSON, and Markdown that GitHub reads."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from derive.formulas import FORMULAS, derived
from gradus.derive import derive

NAMES = [formula.name for formula in FORMULAS]


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_balanced(name):
    text = derived(name)[0].latex()
    depth = 0
    for character in re.sub(r"\\[{}]", "", text):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    for opening, closing in (("\\left", "\\right"), ("\\begin{align*}", "\\end{align*}")):
        assert len(re.findall(re.escape(opening) + r"(?![a-z])", text)) == len(
            re.findall(re.escape(closing) + r"(?![a-z])", text)
        )
    assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_\{", text), "a double script"


@pytest.mark.parametrize("name", NAMES)
def test_html_is_well_formed_and_needs_no_script(name):
    html = derived(name)[0]._repr_html_()
    root = ET.fromstring(html)
    assert root.attrib["class"] == "gradus-derivation"
    assert len(root.findall(".//math")) >= 2
    assert "<script" not in html
    assert "http" not in html
    children = {"mfrac": 2, "msup": 2, "msub": 2, "munder": 2, "mover": 2}
    for tag, count in children.items():
        assert all(len(element) == count for element in root.iter(tag)), tag


@pytest.mark.parametrize("name", NAMES)
def test_data_and_markdown_say_the_same(name):
    derivation = derived(name)[0]
    data = json.loads(json.dumps(derivation.json()))
    assert {form["variable"] for form in data["closed_forms"]} == set(derivation.closed_forms)
    assert data["used"] == list(derivation.used)
    markdown = derivation.markdown()
    assert markdown.count("$$") % 2 == 0
    assert markdown.count("$$") // 2 == len(data["forward"]) + len(data["backward"]) + len(data["closed_forms"]) + sum(
        len(d.where) for d in derivation.derivatives[:1]
    )


def test_latex_as_in_the_textbook():
    text = derived("softmax cross-entropy")[0].latex()
    assert r"\frac{\partial L}{\partial W} &= \left(\hat{y} - y\right) x^{\top}" in text
    assert r"\sum_{j}" in derived("t-SNE")[0].latex()


def test_text_in_html_is_escaped():
    html = derive("x: vec(D); y: vec(D); f = sum[i<j](x[i]*y[j])")._repr_html_()
    ET.fromstring(html)
    assert "i&lt;j" in html


def test_values_stand_in_every_format():
    derivation = derive("f = x^2", at={"x": 3})
    assert "df/dx = 2*x = 6" in derivation.text()
    assert all("6" in text for text in (derivation.latex(), derivation.markdown(), derivation.html()))
    assert derivation.json()["closed_forms"][0]["value"] == 6
