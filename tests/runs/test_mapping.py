"""The map step: any data, any of its options, and the figures in every place they are told."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_iris

from gradus.cli import main
from gradus.runs.mapping import load_map


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "flowers.csv"
    iris = load_iris()
    lines = ["a,b,c,d,region,species"]
    for number, (row, species) in enumerate(zip(iris.data, iris.target, strict=True)):
        region = ("north", "south", "")[number % 3]
        lines.append(",".join([*map(str, row), region, iris.target_names[species]]))
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--perplexity", "12"], {"perplexity": "12", "metric": "euclidean"}),
        (["--n-neighbors", "15", "--dof", "0.5"], {"neighbours": "15", "degrees of freedom": "0.5"}),
        (["--metric", "cosine"], {"metric": "cosine"}),
        (["--metric", "correlation"], {"metric": "correlation"}),
        (["--metric", "manhattan", "--color", "region"], {"metric": "manhattan"}),
    ],
    ids=str,
)
def test_options_are_used_told_and_kept(flowers, tmp_path, capsys, options, told):
    color = [] if "--color" in options else ["--color", "region"]
    arguments = ["map", str(flowers), "--label", "species", "--map-iterations", "60", "--out", str(tmp_path / "run")]
    assert main([*arguments, *options, *color, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["map"]
    assert told.items() <= found.items()
    assert list(found["quality"]) == ["kl_divergence", "recall_at_10", "recall_at_50", "rank_correlation"]
    assert all(0 <= value <= 1 or name == "kl_divergence" for name, value in found["quality"].items())
    kept = load_map(tmp_path / "run" / "map.parquet")
    assert kept.quality == found["quality"] and kept.positions.shape == (150, 2)
    assert pq.read_table(tmp_path / "run" / "map.parquet").column_names == ["row_id", "x", "y"]
    assert ElementTree.parse(tmp_path / "run" / "map.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "run" / "map.png").stat().st_size > 5000
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "neighbours kept, of 10" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("rows", [2, 3, 5, 30])
def test_very_few_rows_without_labels_have_a_map(tmp_path, capsys, rows):
    np.save(tmp_path / "few.npy", np.random.default_rng(0).normal(size=(rows, 3)))
    assert main(["map", str(tmp_path / "few.npy"), "--map-iterations", "30", "--out", str(tmp_path / "run")]) == 0
    assert "KL divergence" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--color", "regoin"], "did you mean 'region'"),
        (["--n-neighbors", "150"], "give at most 149"),
        (["--n-neighbors", "0"], "a positive number of neighbours"),
        (["--metric", "manhatan"], 'Did you mean "manhattan"'),
        (["--dof", "-1"], "--dof is -1.0"),
        (["--perplexity", "80"], "at most 49.6"),
    ],
    ids=str,
)
def test_wrong_options_are_refused_before_anything_is_written(flowers, tmp_path, capsys, options, words):
    color = [] if "--color" in options else ["--color", "region"]
    out = tmp_path / "run"
    assert main(["map", str(flowers), "--label", "species", "--out", str(out), *options, *color]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()
