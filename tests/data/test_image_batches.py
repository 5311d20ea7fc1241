import numpy as np
import pytest

from data.making import pixels, png
from gradus.core.errors import InputError
from gradus.core.progress import reporting
from gradus.data import ReadOptions
from gradus.data.image_batches import BATCH, read_images


def names(count):
    return [f"n{place}" for place in range(count)]


def test_grey_and_colour_become_colour_and_order_is_kept():
    grey, colour = pixels(5, 4), pixels(5, 4, 3)
    content = read_images([png(grey), png(colour)], names(2), "here", ReadOptions())
    assert content.images.shape == (2, 5, 4, 3)
    assert np.array_equal(content.images[1], colour)
    assert np.array_equal(content.images[0], np.repeat(grey[..., None], 3, axis=2))
    assert np.array_equal(content.features, content.images.reshape(2, -1).astype(np.float32) / np.float32(255))


def test_many_batches_keep_their_order():
    arrays = [pixels(4, 4, seed=seed) for seed in range(2 * BATCH + 7)]
    content = read_images((png(array) for array in arrays), names(len(arrays)), "here", ReadOptions())
    assert np.array_equal(content.images[..., 0], arrays)


def test_bad_images_are_named_and_counted():
    data = [png(pixels(4, 4)), b"x", png(pixels(4, 4)), None]
    with pytest.raises(InputError, match=r"2 of 4 images cannot be decoded, the first is 'n1' .*'n3'.*--skip-bad"):
        read_images(data, names(4), "here", ReadOptions())


def test_bad_images_are_skipped_where_that_is_asked():
    data = [png(pixels(4, 4)), b"x", png(pixels(4, 4, seed=1))]
    content = read_images(data, names(3), "here", ReadOptions(skip_bad=True))
    assert content.kept.tolist() == [True, False, True]
    assert np.array_equal(content.images[1, ..., 0], pixels(4, 4, seed=1))
    assert content.notes == ("1 of 3 images could not be decoded and were skipped: 'n1'.",)


def test_nothing_but_bad_images_is_an_error_even_then():
    with pytest.raises(InputError, match="1 of 1"):
        read_images([b"x"], names(1), "here", ReadOptions(skip_bad=True))


def test_of_other_sizes_the_first_is_named_with_the_expected_one():
    data = [png(pixels(4, 6)), png(pixels(4, 6)), png(pixels(5, 7)), png(pixels(9, 9))]
    with pytest.raises(InputError, match=r"'n2' is 5x7 .*'n0' is 4x6.*--size"):
        read_images(data, names(4), "here", ReadOptions())
    assert read_images(data, names(4), "here", ReadOptions(size=(3, 2))).images.shape == (4, 3, 2, 1)


def test_what_cannot_fit_in_memory_is_refused_after_the_first(monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 1 if name == "SC_PHYS_PAGES" else 4096)
    with pytest.raises(InputError, match=r"2000 images.*--size HxW.*--sample"):
        read_images((png(pixels(4, 4)) for _ in range(2000)), names(2000), "here", ReadOptions())


def test_progress_is_told():
    told = []

    class Reporter:
        def open(self, description, total):
            told.append((description, total))
            return self

        def close(self, task):
            told.append("closed")

        def advance(self, amount=1.0, note=""):
            told.append(amount)

    with reporting(Reporter()):
        read_images([png(pixels(4, 4))] * (BATCH + 1), names(BATCH + 1), "here", ReadOptions())
    assert told == [("reading images", BATCH + 1), BATCH, 1, "closed"]
