"""The picture that the default grid is chosen from can be drawn again, and says what the page says."""

import importlib.util
import re
from pathlib import Path

import pytest
import torch

from gradus.tsne import Rule
from gradus.tsne.repulsion import ORDER, SPACING

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def picture():
    specification = importlib.util.spec_from_file_location("forces", ROOT / "docs" / "pictures" / "tsne_forces.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def words(path):
    return set(re.findall(r"<text[^>]*>([^<]+)</text>", path.read_text(encoding="utf-8")))


def test_it_can_be_drawn_and_is_the_one_on_the_page(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "digits", lambda: picture.clusters()[::10])
    monkeypatch.setattr(picture, "SPACINGS", (1.0, 0.5, 0.2))
    drawn = picture.write_picture(tmp_path)
    kept = ROOT / "docs" / "pictures" / drawn.name
    assert {"default", "dof 1, order 4", "a map of 1,797 digits"} <= words(drawn) & words(kept)
    assert f"(../pictures/{drawn.name})" in (ROOT / "docs" / "derivations" / "tsne.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("dof", [0.5, 1.0, 2.0, 10.0])
def test_the_default_grid_is_no_less_exact_than_openTSNE_s(picture, dof):
    points = picture.clusters()
    assert picture.grid_error(points, Rule(dof, SPACING, ORDER)) < picture.open_tsne_error(points, dof)


def test_the_errors_are_measured_against_autograd(picture):
    points = picture.clusters()[::15]
    places = points.double().requires_grad_()
    off = 1 - torch.eye(len(places), dtype=torch.float64)
    potential = off / (1 + torch.cdist(places, places.detach(), compute_mode="donot_use_mm_for_euclid_dist") ** 2)
    (slope,) = torch.autograd.grad(potential.sum(), places)
    assert picture.error_of(picture.ExactRepulsion(1.0)(points)[0], -slope / 2) < 1e-5
