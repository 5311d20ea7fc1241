"""Runs on images: which classifier is fitted, what is left behind, and that a killed run goes on to the same bits."""

import json
import signal
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from forked_process import forked
from gradus.cli import main
from gradus.estimators import ConvNetClassifier
from gradus.runs.directory import BASELINE, CHECKPOINT, MAP, METRICS, MODEL, REPORT
from gradus.runs.mapping import load_map
from gradus.runs.model import LinearClassifier, load
from gradus.runs.network import NetworkClassifier

OPTIONS = ["--map-iterations", "30", "--epochs", "3"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Three digits, enlarged to 16 x 16 pixels, as a folder of images."""
    folder = tmp_path_factory.mktemp("photos")
    digits = load_digits()
    for digit in range(3):
        (folder / str(digit)).mkdir()
        for number, image in enumerate(digits.images[digits.target == digit][:60]):
            pixels = np.kron(image * 255 / 16, np.ones((2, 2))).astype(np.uint8)
            Image.fromarray(pixels).save(folder / str(digit) / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def both(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("both") / "run"
    assert main(["run", str(photos), "--model", "both", *OPTIONS, "--out", str(out)]) == 0
    return out


def test_a_folder_of_images_is_given_to_a_network_and_a_table_is_not(photos, tmp_path):
    assert main(["fit", str(photos), "--epochs", "1", "--out", str(tmp_path / "network")]) == 0
    assert isinstance(load(tmp_path / "network" / MODEL), NetworkClassifier)
    assert not (tmp_path / "network" / BASELINE).exists() and not (tmp_path / "network" / CHECKPOINT).exists()
    assert main(["fit", "digits", "--alpha", "0.01", "--out", str(tmp_path / "digits")]) == 0
    assert isinstance(load(tmp_path / "digits" / MODEL), LinearClassifier)
    for name, heeded, unheeded in (("network", "fit.epochs", "fit.alpha"), ("digits", "fit.alpha", "fit.flip")):
        assert main(["evaluate", str(tmp_path / name)]) == 0 and main(["report", str(tmp_path / name)]) == 0
        page = (tmp_path / name / REPORT).read_text()
        assert f'title="{heeded}"' in page and f'title="{unheeded}"' not in page


def test_images_as_wide_as_they_have_channels(photos, tmp_path):
    options = ("--size", "8x3", "--model", "convnet", "--epochs", "1")
    assert main(["fit", str(photos), *options, "--out", str(tmp_path / "narrow")]) == 0
    assert load(tmp_path / "narrow" / MODEL).image_shape[:2] == (8, 3)


def test_a_network_of_a_table_is_refused(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("a,b,label\n" + "".join(f"{row},{-row},{row % 2}\n" for row in range(20)))
    assert main(["fit", str(tmp_path / "table.csv"), "--label", "label", "--model", "convnet"]) == 2
    assert "--model is convnet, but the rows of table" in capsys.readouterr().err


def test_the_two_are_compared_on_the_same_rows(both):
    metrics = json.loads((both / METRICS).read_text())
    compared = metrics["comparison"]
    assert (compared["a"], compared["b"]) == ("convnet", "softmax")
    assert metrics["fit"]["model"] == "convnet" and len(metrics["fit"]["losses"]) == 3
    table = pq.read_table(both / "predictions.parquet").to_pandas()
    tested = table[table["split"] == "test"]
    assert compared["top_k"][0]["error_a"] == pytest.approx((tested["label"] != tested["predicted"]).mean())
    linear = load(both / BASELINE)
    pixels = np.stack([np.asarray(Image.open(_photos_of(both) / name)).ravel() / 255 for name in tested["row_id"]])
    scores = pixels.astype(np.float32) @ linear.coef.T + linear.intercept
    codes = tested["label"].astype(int).to_numpy()
    assert compared["top_k"][0]["error_b"] == pytest.approx((scores.argmax(1) != codes).mean())


def _photos_of(run):
    return Path(tomllib.loads((run / "config.toml").read_text())["source"])


def test_the_map_is_of_learned_features_and_a_new_fit_discards_it(both, tmp_path, photos):
    assert load_map(both / MAP).settings["input"] == "50 of 128 learned features (principal components)"
    out = tmp_path / "run"
    assert main(["map", str(photos), *OPTIONS, "--out", str(out)]) == 0
    assert load_map(out / MAP).settings["input"] == "50 of 256 dimensions (principal components)"
    assert main(["fit", str(out)]) == 0
    assert not (out / MAP).exists()


def test_the_report_shows_filters_learning_curve_and_comparison(both):
    page = (both / REPORT).read_text()
    for words in ("What the network learned", "Learning curve", "Beside a second classifier", "McNemar"):
        assert words in page
    assert page.count('alt="filter ') == 64
    assert 'title="fit.alpha"' in page and 'title="fit.flip"' in page


def test_new_images_are_predicted_and_others_refused(both, photos, tmp_path, capsys):
    assert main(["predict", str(both), str(photos), "--out", str(tmp_path / "said.parquet")]) == 0
    said = pq.read_table(tmp_path / "said.parquet").to_pandas()
    old = pq.read_table(both / "predictions.parquet").to_pandas()
    merged = said.merge(old, on="row_id")
    assert len(merged) == 180 and (merged["predicted_x"] == merged["predicted_y"]).all()
    np.testing.assert_allclose(merged["probability_x"], merged["probability_y"], rtol=1e-5)
    (tmp_path / "small").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "small" / "a.png")
    assert main(["predict", str(both), str(tmp_path / "small"), "--out", str(tmp_path / "none.parquet")]) == 2
    assert "was trained on images of 16 x 16 x 1" in capsys.readouterr().err


def test_the_saved_network_is_a_classifier_of_codes(both):
    model = ConvNetClassifier.load(both / MODEL)
    assert model.classes_.tolist() == [0, 1, 2] and model.image_shape_ == (16, 16, 1)


KILLED = """
import os, signal, sys
from gradus.cli import main
from gradus.networks import Learner
from gradus.solvers import checkpoint
checkpoint.SECONDS = 0.0
step, steps = Learner.step, iter(range(1, 1000))
def step_or_die(self, batch, factor):
    if next(steps) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, factor)
Learner.step = step_or_die
sys.exit(main(sys.argv[1:]))
"""


def test_a_killed_training_goes_on_to_the_same_bits(photos, tmp_path):
    arguments = ["fit", str(photos), "--epochs", "3", "--out"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0
    dead = forked(KILLED, tmp_path, *arguments, tmp_path / "killed")
    assert dead.end() == -signal.SIGKILL and (tmp_path / "killed" / CHECKPOINT).is_file()
    assert main([*arguments, str(tmp_path / "killed")]) == 0
    assert not (tmp_path / "killed" / CHECKPOINT).exists()
    assert (tmp_path / "killed" / MODEL).read_bytes() == (tmp_path / "whole" / MODEL).read_bytes()
