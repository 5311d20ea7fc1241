import threading

import numba
import pytest
import torch

from gradus.core.errors import InputError
from gradus.kernels.threads import each_part, threads, worth


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


@pytest.mark.parametrize("operations", [1, 10**12])
def test_each_part_is_run_once_and_answered_in_its_place(operations):
    ran = []

    def run(part):
        ran.append((part, torch.get_num_threads()))
        return part**2

    assert each_part(range(50), run, operations) == [part**2 for part in range(50)]
    assert sorted(ran) == [(part, 1) for part in range(50)]


def test_parts_are_run_by_all_threads_at_the_same_time():
    together = threading.Barrier(numba.get_num_threads(), timeout=30)
    each_part(range(numba.get_num_threads()), lambda part: together.wait(), 10**12)


@pytest.mark.parametrize("wrong", range(4))
def test_what_goes_wrong_in_a_part_is_raised(wrong):
    def run(part):
        if part == wrong:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {wrong}"):
        each_part(range(4), run, 10**12)


@pytest.mark.parametrize("outer", [2, 7])
def test_parts_may_have_parts(outer):
    found = each_part(range(outer), lambda part: sum(each_part(range(9), lambda n: n * part, 10**12)), 10**12)
    assert found == [36 * part for part in range(outer)]


def test_parts_of_several_callers_do_not_wait_for_each_other():
    found = {}

    def call(name):
        found[name] = each_part(range(20), lambda part: (name, part), 10**12)

    callers = [threading.Thread(target=call, args=(name,)) for name in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=30)
    assert found == {name: [(name, part) for part in range(20)] for name in range(4)}
