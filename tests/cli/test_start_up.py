"""`import gradus` and `gradus --help` answer at once, because nothing heavy is loaded for them."""

import resource
import subprocess
import sys

import pytest

HEAVY = {"torch", "numba", "sklearn", "scipy", "numpy", "pandas", "matplotlib", "bokeh", "pyarrow"}
STATEMENTS = {
    "import gradus": "import gradus",
    "gradus --help": "from gradus.cli import main; main(['--help'])",
    "gradus run --help": "from gradus.cli import main; main(['run', '--help'])",
    "pytest's plugin": "import gradus.check.pytest_plugin",
    "a wrong command": "from gradus.cli import main; main(['rum'])",
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_nothing_heavy_is_loaded(what):
    code = f"{STATEMENTS[what]}\nimport sys\nprint('LOADED', *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.rsplit("LOADED", 1)[1].split())
    assert "gradus" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("what", ["import gradus", "gradus --help"])
def test_it_takes_less_than_three_tenths_of_a_second(what):
    """Processor seconds, the least of five: what a person waits on a machine that has nothing else to do."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", STATEMENTS[what]], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3


def test_public_names_are_there_and_others_are_not():
    import gradus

    assert set(gradus.__all__) <= set(dir(gradus))
    for name in gradus.__all__:
        assert getattr(gradus, name) is not None
    with pytest.raises(AttributeError, match="SoftmaxRegresion"):
        _ = gradus.SoftmaxRegresion
