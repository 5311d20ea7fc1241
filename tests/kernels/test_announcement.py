import os
import subprocess
import sys

from gradus.kernels.announcement import WAITING_FOR

MAPPED = "import numpy; from gradus import TSNE; TSNE(max_iter=5, perplexity=5, verbose=1).fit(numpy.eye(40))"


def said(cache):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    ran = subprocess.run([sys.executable, "-c", MAPPED], env=environment, capture_output=True, text=True, check=True)
    assert not ran.stdout
    return ran.stderr


def test_that_compiling_is_announced_and_loading_is_not(tmp_path):
    assert f"{WAITING_FOR}: " in said(tmp_path)
    assert WAITING_FOR not in said(tmp_path)
