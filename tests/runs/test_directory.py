"""Files are there whole or not at all, and a directory is never shared or mistaken."""

import pytest

from forked_process import FORKING
from gradus.core.errors import InputError
from gradus.runs.directory import CONFIG, METRICS, MODEL, PREDICTIONS, REPORT, RunDirectory, is_run


def test_a_directory_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"thesis\.tex"):
        RunDirectory(tmp_path).check()


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="is a file"):
            RunDirectory(path).check()


def test_an_empty_or_missing_directory_is_fine_and_stays_untouched(tmp_path):
    RunDirectory(tmp_path).check()
    RunDirectory(tmp_path / "new" / "deep").check()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_unfinished_is_removed(tmp_path):
    (tmp_path / ".unfinished-abc.json").write_text("half")
    directory = RunDirectory(tmp_path)
    directory.check()
    with directory.locked():
        assert not (tmp_path / ".unfinished-abc.json").exists()
    assert not is_run(tmp_path)


def _try_to_lock(path, answer):
    try:
        with RunDirectory(path).locked():
            answer.put("locked")
    except InputError as error:
        answer.put(str(error))


def test_a_second_process_is_told_that_the_first_is_at_work(tmp_path):
    answer = FORKING.Queue()
    with RunDirectory(tmp_path).locked():
        other = FORKING.Process(target=_try_to_lock, args=(tmp_path, answer))
        other.start()
        assert "another gradus is working" in answer.get(timeout=60)
        other.join()


def test_what_was_computed_from_a_step_is_discarded_and_nothing_else(tmp_path):
    for name in (CONFIG, MODEL, METRICS, PREDICTIONS, REPORT, "map.parquet", "notes.txt"):
        (tmp_path / name).touch()
    RunDirectory(tmp_path).discard_derived("fit")
    assert _names(tmp_path) == [CONFIG, "map.parquet", MODEL, "notes.txt"]
    RunDirectory(tmp_path).discard_all()
    assert _names(tmp_path) == ["notes.txt"]


def _names(path):
    return sorted(item.name for item in path.iterdir())
