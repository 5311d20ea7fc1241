"""Every row's thumbnail, or a stated sample of them, inside the budget."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gradus.report.sprites import Sprites, arrange, pack_sprites, resized
from report.report_contents import MNIST, colours, digits


def unpacked(sprites: Sprites, row: int, channels: int) -> np.ndarray:
    """Cut a row's thumbnail out of its sheet, as the page's script does."""
    slot = int(sprites.slots[row])
    with Image.open(io.BytesIO(base64.b64decode(sprites.sheets[slot // sprites.per_sheet]))) as picture:
        sheet = np.asarray(picture.convert("L" if channels == 1 else "RGB")).reshape(picture.height, picture.width, -1)
    line, column = divmod(slot % sprites.per_sheet, sprites.per_row)
    top, left = line * sprites.height, column * sprites.width
    return sheet[top : top + sprites.height, left : left + sprites.width].astype(int)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]), st.integers(1, 7))
def test_arranged_images_are_found_where_they_were_put(
    number: int, height: int, width: int, channels: int, per_row: int
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (number, height, width, channels), dtype=np.uint8)
    sheet = arrange(images, per_row)
    for position, image in enumerate(images):
        line, column = divmod(position, per_row)
        top, left = line * height, column * width
        assert np.array_equal(sheet[top : top + height, left : left + width], image)


def test_grey_thumbnails_lose_no_more_than_sixteen_greys_do() -> None:
    images = digits().dataset.images
    assert images is not None
    sprites = pack_sprites(images, np.random.default_rng(0).permutation(len(images)), 10_000_000)
    assert sprites.held == len(images)
    assert sprites.media_type == "image/png"
    for row in (0, 1, 700, len(images) - 1):
        assert np.abs(unpacked(sprites, row, 1) - images[row]).max() <= 9


def test_colour_thumbnails_look_like_the_images() -> None:
    images = colours().dataset.images
    assert images is not None
    sprites = pack_sprites(images, np.arange(len(images)), 10_000_000)
    errors = [np.abs(unpacked(sprites, row, 3) - images[row]).mean() for row in (0, 5, 599)]
    others = [np.abs(unpacked(sprites, row, 3) - images[row - 1]).mean() for row in (1, 5, 599)]
    assert max(errors) < 12 < min(others)


@pytest.mark.parametrize("budget", [400_000, 150_000, 40_000])
def test_a_tight_budget_is_kept_and_what_is_left_out_is_counted(budget: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2000, 32, 32, 3), dtype=np.uint8)
    sprites = pack_sprites(images, np.arange(2000), budget)
    assert sum(map(len, sprites.sheets)) <= 1.1 * budget
    assert sprites.held == (sprites.slots >= 0).sum()
    kept = np.flatnonzero(sprites.slots >= 0)
    assert sorted(sprites.slots[kept]) == list(range(sprites.held))
    # noise cannot be squeezed, so that the last budget leaves room for a sample only
    assert (sprites.held < 2000) == (budget == 40_000)


def test_quality_goes_before_size_and_size_before_rows() -> None:
    images = colours().dataset.images
    assert images is not None
    packed = [pack_sprites(images, np.arange(len(images)), budget) for budget in (10**7, 130_000, 60_000, 20_000)]
    sizes = [sprites.width for sprites in packed]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == 32
    assert packed[0].held == 600 and [one.held for one in packed] == sorted((one.held for one in packed), reverse=True)


def test_large_images_are_shrunk_and_one_image_is_enough() -> None:
    image = np.full((1, 300, 200, 3), 90, np.uint8)
    sprites = pack_sprites(image, np.arange(1), 1_000_000)
    assert (sprites.width, sprites.height) == (43, 64)
    assert np.abs(unpacked(sprites, 0, 3) - 90).max() <= 3
    assert resized(image, 20, 30).shape == (1, 30, 20, 3)


@pytest.mark.slow
def test_all_of_mnist_fits() -> None:
    if not MNIST.is_file():
        pytest.skip("MNIST is not beside the project")
    with np.load(MNIST) as stored:
        images = np.concatenate([stored["x_train"], stored["x_test"]])[..., None]
    sprites = pack_sprites(images, np.arange(len(images)), 18_000_000)
    assert sprites.held == 70_000
    assert sum(map(len, sprites.sheets)) < 15_000_000
    assert np.abs(unpacked(sprites, 69_999, 1) - images[69_999]).max() <= 9
