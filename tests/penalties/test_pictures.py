"""The page on penalties: its pictures can be drawn again, and it leaves no penalty out."""

import importlib.util
import re
from pathlib import Path

import pytest

import gradus.penalties
from gradus.core.protocols import Proximable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "penalties.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pictures():
    specification = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures" / "penalties.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def titles(path):
    return re.findall(r"<text[^>]*>([A-Z]\w+)</text>", path.read_text(encoding="utf-8"))


def test_the_pictures_can_be_drawn_and_are_those_of_the_page(pictures, tmp_path):
    for drawn in pictures.write_pictures(tmp_path):
        kept = ROOT / "docs" / "pictures" / drawn.name
        assert titles(kept) == titles(drawn)
        assert len(titles(drawn)) >= 9
        assert kept.stat().st_size < 200_000
        assert f"(pictures/{drawn.name})" in PAGE


def test_every_penalty_is_on_the_page_and_in_a_picture():
    named = {name: getattr(gradus.penalties, name) for name in gradus.penalties.__all__}
    classes = {name for name, thing in named.items() if isinstance(thing, type) and issubclass(thing, Proximable)} - {
        "Nonconvex",
        "RowWise",
    }
    assert len(classes) > 35
    shown = {title for path in (ROOT / "docs" / "pictures").glob("*.svg") for title in titles(path)}
    for name in classes:
        assert f"`{name}" in PAGE, name
        assert name in shown or name in (
            "Masked",
            "SmoothMasked",
            "ConjugateOf",
            "MoreauEnvelope",
            "Sum",
            "Composed",
        ), name
    for name in named:
        assert f"`{name}" in PAGE, name
