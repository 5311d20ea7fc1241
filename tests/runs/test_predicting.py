"""Predictions for new rows, in the format of the old ones and in others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gradus.cli.main import main

DIGITS = load_digits()
PIXELS = (DIGITS.images * 15).astype(np.uint8)
NEW = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose rows were images in an archive."""
    folder = tmp_path_factory.mktemp("run")
    np.savez(folder / "images.npz", images=PIXELS, labels=DIGITS.target)
    fitted = ["fit", str(folder / "images.npz"), "--out", str(folder / "run"), "--alpha", "0.001", "--model", "softmax"]
    assert main(fitted) == 0
    return folder / "run"


def _archive(folder):
    np.savez(folder / "new.npz", images=PIXELS[:NEW])
    return folder / "new.npz"


def _array(folder):
    np.save(folder / "new.npy", PIXELS[:NEW].reshape(NEW, -1) / np.float32(255))
    return folder / "new.npy"


def _table(folder):
    pd.DataFrame(PIXELS[:NEW].reshape(NEW, -1) / 255).add_prefix("pixel ").to_csv(folder / "new.csv", index=False)
    return folder / "new.csv"


def _colour_photos(folder):
    (folder / "new" / "unknown").mkdir(parents=True)
    for row in range(NEW):
        Image.fromarray(PIXELS[row]).convert("RGB").save(folder / "new" / "unknown" / f"{row:02}.png")
    return folder / "new"


@pytest.mark.parametrize("written", [_archive, _array, _table, _colour_photos])
def test_the_format_of_new_rows_need_not_be_that_of_the_old(run, tmp_path, written):
    assert main(["predict", str(run), str(written(tmp_path)), "--out", str(tmp_path / "new-predictions.parquet")]) == 0
    predicted = pq.read_table(tmp_path / "new-predictions.parquet")
    assert main(["predict", str(run), str(_archive(tmp_path)), "--out", str(tmp_path / "expected.parquet")]) == 0
    expected = pq.read_table(tmp_path / "expected.parquet")
    assert predicted["predicted"].equals(expected["predicted"])
    np.testing.assert_allclose(predicted["probability"], expected["probability"], rtol=1e-5)


def test_ids_and_labels_that_the_new_rows_lack_are_not_missed(tmp_path):
    rows = pd.DataFrame(DIGITS.data).rename(columns=str).assign(name=range(len(DIGITS.data)), digit=DIGITS.target)
    rows.to_csv(tmp_path / "old.csv", index=False)
    known = ["--label", "digit", "--ids", "name", "--alpha", "0.001"]
    assert main(["fit", str(tmp_path / "old.csv"), "--out", str(tmp_path / "run"), *known]) == 0
    new = pa.table({"pixels": pa.array(list(DIGITS.data[:NEW])), "name": [f"n{row}" for row in range(NEW)]})
    pq.write_table(new, tmp_path / "new.parquet")
    assert (
        main(["predict", str(tmp_path / "run"), str(tmp_path / "new.parquet"), "--out", str(tmp_path / "p.csv")]) == 0
    )
    assert (pd.read_csv(tmp_path / "p.csv")["row_id"] == new["name"].to_pandas()).all()


def test_rows_of_another_width_are_refused(run, tmp_path, capsys):
    pd.DataFrame(np.ones((3, 5))).add_prefix("pixel ").to_csv(tmp_path / "narrow.csv", index=False)
    capsys.readouterr()
    assert main(["predict", str(run), str(tmp_path / "narrow.csv"), "--out", str(tmp_path / "p.csv")]) == 2
    told = capsys.readouterr().err
    assert "5" in told and "64" in told and told.count("\n") == 1
    assert not (tmp_path / "p.csv").exists()
