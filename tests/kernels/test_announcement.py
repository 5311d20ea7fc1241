from forked_process import forked
from gradus.kernels.announcement import WAITING_FOR

KERNEL = """
from gradus.kernels.compilation import compiled


@compiled()
def twice(x):
    return 2 * x
"""
# Numba keeps what it compiled beside the file, for the next process
CALL = """
import sys
from gradus.estimators.stderr import reporting_to_stderr
sys.path.insert(0, sys.argv[1])
from kernel import twice

with reporting_to_stderr(verbose=1):
    assert twice(21) == 42
"""


def said(folder):
    process = forked(CALL, folder, folder)
    assert process.end() == 0, process.err.read_text()
    assert not process.out.read_text()
    return process.err.read_text()


def test_that_compiling_is_announced_and_loading_is_not(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    assert f"{WAITING_FOR}: " in said(tmp_path)
    assert WAITING_FOR not in said(tmp_path)
