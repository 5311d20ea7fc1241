import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.making import pixels
from gradus.data.arrays import as_exact_floats, as_floats, from_array, shown


@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((5, 8, 6), (5, 8, 6, 1)),
        ((5, 8, 6, 1), (5, 8, 6, 1)),
        ((5, 8, 6, 3), (5, 8, 6, 3)),
        ((5, 3, 8, 6), (5, 8, 6, 3)),
        ((5, 1, 8, 6), (5, 8, 6, 1)),
        ((5, 12), None),
        ((5, 8, 6, 4), None),
        ((5, 2, 3, 3, 3), None),
        ((5, 1, 700), None),
    ],
)
def test_bytes_of_an_image_shape_are_images(shape, images):
    array = pixels(*shape)
    content = from_array(array)
    if images is None:
        assert content.images is None
        assert np.array_equal(content.features, array.reshape(5, -1))
        return
    laid_out = array.transpose(0, 2, 3, 1) if array.ndim == 4 and images[1:] != shape[1:] else array
    assert np.array_equal(content.images, laid_out.reshape(images))
    assert content.features.dtype == np.float32
    assert np.array_equal(content.features, (laid_out.reshape(5, -1) / 255).astype(np.float32))


def test_floats_stay_and_are_shown_by_a_linear_map():
    array = np.linspace(-2, 2, 2 * 8 * 8, dtype=np.float64).reshape(2, 8, 8)
    content = from_array(array)
    assert np.array_equal(content.features, array.reshape(2, -1))
    assert content.features.dtype == np.float64
    assert (content.images.min(), content.images.max()) == (0, 255)
    assert content.images.shape == (2, 8, 8, 1)


def test_channels_first_floats_follow_their_images():
    array = np.random.default_rng(0).random((2, 3, 8, 7)).astype(np.float16)
    content = from_array(array)
    assert content.features.dtype == np.float32
    assert np.array_equal(content.features.reshape(2, 8, 7, 3), array.transpose(0, 2, 3, 1))
    assert np.array_equal(content.images, np.rint(content.features.reshape(2, 8, 7, 3) * 255))


def test_ranges_that_mean_something_are_kept_as_they_are():
    assert shown(np.array([0.25, 0.5])).tolist() == [64, 128]
    assert shown(np.array([0.0, 100.0])).tolist() == [0, 100]
    assert shown(np.array([np.nan, 1.0])).tolist() == [0, 255]


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=5))
def test_integers_are_exact(values):
    floats = as_floats(np.array([values]))
    assert floats.astype(object).astype(int).tolist() == [values]
    small = max(map(abs, values)) <= 2**24
    assert floats.dtype == (np.float32 if small else np.float64)


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int16, np.float16, ">f4", ">i8"])
def test_small_types_become_native_float32(kind):
    floats = as_floats(np.array([[0, 1], [1, 0]]).astype(kind)[:, ::-1])
    assert floats.dtype == np.float32
    assert floats.flags.c_contiguous
    assert floats.tolist() == [[1, 0], [0, 1]]


def test_float64_is_narrowed_only_where_nothing_is_lost():
    assert as_exact_floats(np.array([0.5, np.nan])).dtype == np.float32
    assert as_exact_floats(np.array([0.1])).dtype == np.float64
    assert as_exact_floats(np.array([1e300])).dtype == np.float64
