"""Batches: every image once, any batch again."""

import torch

from gradus.networks import Augmentation, LabelledImages, Shuffled


def images(count=50):
    pixels = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 2, 2, 1).contiguous()
    return LabelledImages(pixels, torch.arange(count) % 5, torch.ones(count))


def test_an_epoch_has_every_image_once_with_its_label():
    batches = list(Shuffled(images(), 16).epoch(0))
    assert [len(batch.codes) for batch in batches] == [17, 17, 16]
    seen = torch.cat([batch.images[:, 0, 0, 0] for batch in batches])
    assert sorted(seen.tolist()) == list(range(50)) and seen.dtype == torch.float32
    assert torch.equal(torch.cat([batch.codes for batch in batches]), seen.long() % 5)


def test_any_batch_can_be_made_again():
    shuffled = Shuffled(images(), 10, Augmentation(1), seed=4)
    for whole, again in zip(list(shuffled.epoch(3))[2:], shuffled.epoch(3, first=2), strict=True):
        assert torch.equal(whole.images, again.images)


def test_epochs_and_seeds_differ():
    orders = [
        tuple(next(iter(Shuffled(images(), 50, seed=seed).epoch(epoch))).codes.tolist())
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert len(set(orders)) == 3


def test_fewer_images_than_a_batch_are_one_batch():
    assert [len(batch.codes) for batch in Shuffled(images(3), 16).epoch(0)] == [3]


def test_weights_of_some_images_have_mean_one_again():
    some = LabelledImages(images(4).pixels, torch.zeros(4), torch.tensor([0.5, 0.5, 1.0, 2.0])).at(torch.tensor([2, 3]))
    assert some.weights.mean() == 1 and some.weights[1] == 2 * some.weights[0]
