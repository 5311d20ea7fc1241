"""Files appear whole or not at all."""

import stat

import pytest

from gradus.core.files import written_whole


def test_a_file_appears_only_when_its_writing_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    with written_whole(path) as unfinished:
        unfinished.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(ZeroDivisionError), written_whole(path) as unfinished:
        unfinished.write_text("half")
        1 / 0  # noqa: B018
    assert path.read_text() == "new"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with written_whole(tmp_path / "ours") as unfinished:
        unfinished.write_text("x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
