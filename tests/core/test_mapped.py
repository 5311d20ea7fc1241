"""Arrays in a file, a chunk at a time."""

from pathlib import Path

import numpy as np
import pytest

from gradus.core import mapped


@pytest.fixture
def array(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "CHUNK_BYTES", 3 * 4096)
    numbers = np.random.default_rng(0).integers(0, 256, (1001, 100), dtype=np.uint8)
    np.save(tmp_path / "X.npy", numbers)
    return np.load(tmp_path / "X.npy", mmap_mode="r"), numbers


def resident_pages():
    """File pages that the process maps, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))


def test_the_chunks_are_the_array(array):
    stored, numbers = array
    parts = list(mapped.chunks(stored))
    assert len(parts) == 9
    assert [rows.start for rows, _ in parts] == list(range(0, 1001, 122))
    np.testing.assert_array_equal(np.concatenate([chunk for _, chunk in parts]), numbers)


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 1001, 7), (3, 900, 1), (5, 6, 3), (0, 1001, 500), (10, 10, 2)])
def test_gathered_rows_are_those_of_a_slice(array, start, stop, step):
    stored, numbers = array
    copy = mapped.gathered(stored, start, stop, step)
    np.testing.assert_array_equal(copy, numbers[start:stop:step])
    assert mapped.mapping_of(copy) is None


def test_views_of_a_file_are_told_from_arrays_in_memory(array):
    stored, numbers = array
    for view in (stored, stored[3:, 5:], np.asarray(stored)[::2], stored.reshape(-1, 1001)):
        assert mapped.mapping_of(view) is not None
    for other in (numbers, np.array(stored), stored + 0, None, [1.0]):
        assert mapped.mapping_of(other) is None


def test_pages_that_were_read_are_let_go(tmp_path):
    np.save(tmp_path / "X.npy", np.ones((4096, 32_768), np.uint8))
    stored = np.load(tmp_path / "X.npy", mmap_mode="r")
    before, most = resident_pages(), 0
    for _, chunk in mapped.chunks(stored):
        assert chunk.sum(dtype=np.int64) == chunk.size
        most = max(most, resident_pages() - before)
    assert resident_pages() - before < 1_000_000
    assert 60_000_000 < most < 80_000_000, "one chunk, and not the whole file of 134 MB"


def test_changes_of_a_copy_on_write_array_are_not_lost(array, tmp_path):
    stored = np.load(tmp_path / "X.npy", mmap_mode="c")
    stored[500] = 7
    for _ in mapped.chunks(stored):
        pass
    assert (stored[500] == 7).all()
