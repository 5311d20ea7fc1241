"""The page on pooling: its picture can be drawn again, and it leaves no layer out."""

import importlib.util
import re
from pathlib import Path

from gradus import layers

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "pooling.md").read_text(encoding="utf-8")


def titles(path):
    return re.findall(r"<text[^>]*>([A-Z]\w+)</text>", path.read_text(encoding="utf-8"))


def test_the_picture_can_be_drawn_and_is_that_of_the_page(tmp_path):
    place = ROOT / "docs" / "pictures" / "pooling.py"
    specification = importlib.util.spec_from_file_location("pooling_pictures", place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for drawn in module.write_pictures(tmp_path):
        kept = ROOT / "docs" / "pictures" / drawn.name
        assert titles(kept) == titles(drawn)
        assert len(titles(drawn)) >= 20
        assert kept.stat().st_size < 200_000
        assert f"(pictures/{drawn.name})" in PAGE


def test_every_layer_is_on_the_page():
    for name in layers.__all__:
        if name.endswith(("Pool2d", "Unpool2d")):
            assert f"`{name}`" in PAGE, name
