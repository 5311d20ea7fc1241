"""Every `$ gradus ...` line of the README and the docs is typed as it stands, among files of the names they use."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_iris

from gradus.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])

KERNELS = """
import torch
def softmax(x): return torch.softmax(x, -1)
def softmax_backward(u, x): return softmax(x) * (u - (u * softmax(x)).sum(-1, keepdim=True))
def example(): return torch.linspace(-1, 1, 12).reshape(3, 4)
"""


def commands(page):
    """Return the gradus commands of the console blocks of ``page``, in order."""
    found, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line.startswith("```console") if not inside else False
        elif inside and line.startswith("$ gradus "):
            found.append(shlex.split(line.removeprefix("$ gradus "), comments=True))
    return found


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with small files of the names that the documentation uses."""
    monkeypatch.chdir(tmp_path)
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:300], labels[:300]
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "photos" / f"class {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image.reshape(8, 8) * 15).astype(np.uint8)).save(folder / f"{number}.png")
    iris = load_iris(as_frame=True)
    table = iris.frame.assign(species=iris.target_names[iris.target]).drop(columns="target")
    table["id"] = [f"flower {number}" for number in range(len(table))]
    pyarrow.csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), tmp_path / "flowers.csv")
    new = table.drop(columns="species").head(20)
    pyarrow.csv.write_csv(pa.Table.from_pandas(new, preserve_index=False), tmp_path / "new.csv")
    vectors = pa.array(list(images.astype(np.float32)), pa.list_(pa.float32()))
    pq.write_table(pa.table({"embedding": vectors, "label": labels}), tmp_path / "embeddings.parquet")
    np.save(tmp_path / "features.npy", images)
    (tmp_path / "labels.txt").write_text("\n".join(map(str, labels)))
    np.savez(tmp_path / "data.npz", X=images, y=labels)
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "notes.md").write_text("```gradus\nx: vec(D)\nf = x.T @ x\nclaim df/dx = 2*x\n```\n")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_page_works(page, world, capsys):
    for command in commands(page):
        code = main(command)
        told = capsys.readouterr()
        assert code == 0, f"gradus {shlex.join(command)}: {told.err}"


def test_the_readme_has_commands_to_type():
    assert len(commands(ROOT / "README.md")) >= 3


@pytest.mark.parametrize(
    "page", sorted([*PAGES, *ROOT.glob("*.md"), *ROOT.glob("docs/*/*.md")]), ids=lambda page: page.name
)
def test_links_within_the_project_lead_somewhere(page):
    text = re.sub(r"^(`{3,}).*?^\1|(`+)[^\n]*?\2", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
