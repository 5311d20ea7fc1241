"""The pictures of the page on t-SNE can be drawn again, are small, and stand on it."""

import importlib.util
import re
from pathlib import Path

from gradus import TSNE

ROOT = Path(__file__).parents[2]


def test_the_pictures_can_be_drawn_and_are_those_of_the_page(tmp_path, monkeypatch):
    specification = importlib.util.spec_from_file_location("tsne_pictures", ROOT / "docs" / "pictures" / "tsne.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    rows, labels = module.digits()
    monkeypatch.setattr(module, "digits", lambda: (rows[:610], labels[:610]))
    monkeypatch.setattr(module, "TSNE", lambda **parameters: TSNE(**parameters | {"max_iter": 20}))
    page = (ROOT / "docs" / "tsne.md").read_text(encoding="utf-8")
    for drawn in module.write_pictures(tmp_path):
        kept = ROOT / "docs" / "pictures" / drawn.name
        words = [re.findall(r"<text[^>]*>([^<]+)</text>", path.read_text(encoding="utf-8")) for path in (drawn, kept)]
        assert words[0] and set(words[0]) == set(words[1])
        assert kept.stat().st_size < 300_000
        assert f"(pictures/{drawn.name})" in page
