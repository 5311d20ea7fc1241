"""What is worked on together: all of it however it is cut, and the same whatever the cut."""

import pytest
import torch

from gradus.kernels import dispatch, portions
from gradus.kernels.chosen_rows import ChosenRows
from gradus.kernels.simplex_entropy import Repair, simplex_entropy
from gradus.kernels.skinny_product import product, transposed_product
from gradus.kernels.softmax_sweep import Labelled, Linear, hessian_product, label_sums, loss, loss_and_slopes


def test_blocks_are_all_rows_once():
    blocks = portions.row_blocks(10, portions.NUMBERS // 3)
    assert [row for block in blocks for row in range(10)[block]] == list(range(10))
    assert len(blocks) == 4
    assert portions.row_blocks(0, 5) == []
    assert portions.row_blocks(3, 0) == [slice(0, 3)]


def test_a_processor_works_on_what_its_cache_holds():
    assert portions.portion(torch.device("cpu"), 5) == 5
    assert portions.portion(torch.device("cuda", 1), 5) == portions.NUMBERS


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("numbers", [1, 400, 10_000])
def test_an_accelerator_finds_the_same_in_blocks_of_any_size(numbers, soft, monkeypatch):
    monkeypatch.setattr(portions, "NUMBERS", numbers)
    generator = torch.Generator().manual_seed(0)
    stored = torch.randn(90, 20, generator=generator).bfloat16()
    matrix = ChosenRows(stored, torch.arange(0, 90, 2))
    linear = Linear(*(torch.randn(*shape, generator=generator).double() for shape in ((20, 7), (7,))))
    targets = torch.randint(7, (45,), generator=generator)
    if soft:
        targets = torch.nn.functional.one_hot(targets, 7).double().add(0.1).div(1.7)
    labelled = Labelled(targets, torch.rand(45, generator=generator).double())
    repair = Repair(*torch.rand(2, 7, generator=generator).double().softmax(dim=1))

    def everything():
        kept = torch.empty(45, 7, dtype=torch.float32)
        value, slopes = loss_and_slopes(matrix, linear, labelled, kept)
        plain, (plain_slopes, plain_totals) = loss_and_slopes(matrix, linear, labelled)
        turned = hessian_product(matrix, linear, kept, labelled.weights)
        products = product(matrix, linear.coefficients), transposed_product(matrix, kept.double())
        entropies = simplex_entropy(kept, labelled, repair, [0.0, 0.3, 1.0])
        sums = label_sums(matrix, labelled, 7)
        values = torch.stack([value, plain, loss(matrix, linear, labelled)])
        return [values, *slopes, plain_slopes, plain_totals, kept.double(), *turned, *products, entropies, *sums]

    with dispatch.force("reference"):
        expected = everything()
    with dispatch.force("accelerator"):
        found = everything()
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
