"""Large pages are asked for new memory, where the system has them; what is in it is nobody's concern yet."""

import sys

import torch

from gradus.kernels import large_pages


def test_memory_may_be_used_as_before():
    for size in (1, 1000, 3 << 20):
        numbers = torch.empty(size)
        assert large_pages.in_large_pages(numbers) is numbers
        assert (numbers.fill_(3.0) == 3).all()


def test_compiled_code_finds_what_the_system_is_asked_by():
    assert (large_pages.address_of_advise() != 0) == (sys.platform == "linux")
