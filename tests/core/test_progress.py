"""Tasks are silent without a reporter, and reach it with one, also when they fail."""

import pytest

from gradus.core import progress


class Recorder:
    def __init__(self):
        self.events = []

    def open(self, description, total):
        self.events.append(("open", description, total))
        return self

    def advance(self, amount=1.0, note=""):
        self.events.append(("advance", amount, note))

    def close(self, task):
        self.events.append(("close",))


def test_without_a_reporter_nothing_happens():
    with progress.task("reading", total=2) as task:
        task.advance(1)


def test_a_reporter_sees_the_tasks_inside_its_block_only():
    recorder = Recorder()
    with progress.reporting(recorder), pytest.raises(KeyError), progress.task("fitting", total=3) as task:
        task.advance(2, note="gap 0.1")
        raise KeyError
    with progress.task("later") as task:
        task.advance()
    assert recorder.events == [("open", "fitting", 3), ("advance", 2, "gap 0.1"), ("close",)]
