"""New memory is cleared by the system when it is asked to, and what was written stays."""

import sys

import pytest
import torch

from gradus.kernels import large_pages

resource = pytest.importorskip("resource")


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(sys.platform != "linux", reason="the system is not asked")
def test_what_is_cleared_needs_no_page_later_and_what_was_written_stays():
    numbers = torch.empty(64 << 20, dtype=torch.uint8)
    first, size = numbers.data_ptr(), numbers.numel()
    if large_pages._advise()(first // 4096 * 4096, 4096, 23):
        pytest.skip("this system does not clear pages ahead")
    numbers[1000:2000] = 7
    large_pages.clear(first, first + size)
    assert (numbers[1000:2000] == 7).all()
    before = faults()
    numbers.fill_(3)
    # of 16384 pages
    assert faults() - before < 200
