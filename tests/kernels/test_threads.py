import numba
import pytest

from gradus.core.errors import InputError
from gradus.kernels.threads import threads, worth


def test_threads_are_set_inside_and_restored_outside():
    before = numba.get_num_threads()
    with threads(1) as used:
        assert used == numba.get_num_threads() == 1
    assert numba.get_num_threads() == before
    with threads(None) as used:
        assert used == before
    with threads(-before - 5) as used:
        assert used == 1


def test_no_threads_are_refused():
    with pytest.raises(InputError, match="n_jobs is 0"), threads(0):
        pass


def test_little_work_gets_one_thread():
    before = numba.get_num_threads()
    with worth(1000):
        assert numba.get_num_threads() == 1
    with worth(10**12):
        assert numba.get_num_threads() == before
