import os

from gradus.data.folders import look_below, look_into


def test_hidden_files_are_left_out_and_names_are_sorted(tmp_path):
    for name in ("b.PNG", "a.jpeg", ".DS_Store", ".hidden.png", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "z").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    found = look_into(tmp_path)
    assert [path.name for path in found.images] == ["a.jpeg", "b.PNG"]
    assert [path.name for path in found.others] == ["c.txt"]
    assert [path.name for path in found.folders] == ["z"]


def test_folders_below_are_read_and_loops_end(tmp_path):
    inner = tmp_path / "class" / "deep" / "deeper"
    inner.mkdir(parents=True)
    (inner / "a.png").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.png").touch()
    (inner / "self").symlink_to(inner)
    (inner / "up").symlink_to(tmp_path)
    assert [path.name for path in look_below(tmp_path / "class").images] == ["a.png"]


def test_a_linked_folder_counts_once(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").touch()
    (tmp_path / "class").mkdir()
    for name in ("one", "two"):
        (tmp_path / "class" / name).symlink_to(tmp_path / "elsewhere")
    assert [str(path.relative_to(tmp_path)) for path in look_below(tmp_path / "class").images] == ["class/one/a.png"]


def test_a_pipe_is_no_image_and_a_broken_link_is_one(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    found = look_into(tmp_path)
    assert [path.name for path in found.images] == ["broken.png"]
    assert [path.name for path in found.others] == ["pipe.png"]
