import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from data.making import pixels, png
from gradus.data.images import ImageForm, UnreadableImageError, decode


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_pixels_are_those_that_pillow_decodes(kind, shape):
    data = encoded(Image.fromarray(pixels(*shape)), kind)
    given = decode(data)
    mode = "L" if given.shape[2] == 1 else "RGB"
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert(mode)).reshape(given.shape)
    assert np.array_equal(given, expected)
    if kind != "WEBP":  # which stores grey as colour
        assert given.shape[2] == (1 if len(shape) == 2 else 3)


def test_a_path_is_read_too(tmp_path):
    array = pixels(4, 5)
    (tmp_path / "a.png").write_bytes(png(array))
    assert np.array_equal(decode(tmp_path / "a.png")[..., 0], array)


def test_what_is_transparent_lies_on_white():
    clear = np.zeros((4, 4, 4), dtype=np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    given = decode(png(clear))
    assert given[0, 0].tolist() == [10, 20, 30]
    assert np.all(given[1:] == 255)
    grey = np.dstack([np.full((4, 4), 100, np.uint8), np.zeros((4, 4), np.uint8)])
    assert decode(png(grey)).tolist() == np.full((4, 4, 1), 255).tolist()


def test_sixteen_bits_are_scaled():
    deep = np.array([[0, 257, 65535], [128, 129, 32768]], dtype=np.uint16)
    assert decode(png(deep))[..., 0].tolist() == np.rint(deep / 257).astype(int).tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_in_exif_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(pixels(8, 12)), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(decode(data)[..., 0], expected)


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.fromarray(np.full((5, 5), value, np.uint8)) for value in (50, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.all(decode(data) == 50)


def test_one_bit_and_cmyk_are_read():
    assert decode(encoded(Image.new("1", (4, 4), 1), "PNG")).tolist() == np.full((4, 4, 1), 255).tolist()
    assert decode(encoded(Image.new("CMYK", (4, 4)), "JPEG")).shape == (4, 4, 3)


def test_size_and_channels_are_as_asked():
    array = pixels(20, 30, 3)
    given = decode(png(array), ImageForm(size=(8, 9), channels=1))
    expected = Image.fromarray(array).convert("L").resize((9, 8), Image.Resampling.BICUBIC)
    assert np.array_equal(given[..., 0], np.asarray(expected))
    assert decode(png(array[..., 0]), ImageForm(channels=3)).shape == (20, 30, 3)


def test_a_large_jpeg_is_resized_to_nearly_the_same():
    smooth = Image.fromarray(pixels(8, 8, 3)).resize((640, 480), Image.Resampling.BICUBIC)
    given = decode(encoded(smooth, "JPEG", quality=95), ImageForm(size=(24, 32)))
    expected = np.asarray(smooth.resize((32, 24), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(given - expected).mean() < 3


def bomb(side):
    """A PNG that claims side x side pixels in a hundred bytes."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "no bytes"),
        (None, "no bytes"),
        (b"not an image", "not an image"),
        (png(pixels(40, 40))[:300], "."),
        (encoded(Image.fromarray(pixels(40, 40)), "JPEG")[:300], "."),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (bomb(30000), "bomb"),
        (encoded(Image.fromarray(np.ones((3, 3), np.float32)), "TIFF"), "floating point"),
        (encoded(Image.fromarray(np.full((3, 3), 1 << 20, np.int32)), "TIFF"), "32 bits"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, word):
    with pytest.raises(UnreadableImageError, match=word) as caught:
        decode(data)
    assert str(caught.value)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_large_image_that_pillow_only_warns_of_is_refused():
    with pytest.raises(UnreadableImageError, match="10000x10000"):
        decode(bomb(10000))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of damage it repairs
def test_no_damage_gets_past_as_another_error():
    random = np.random.default_rng(0)
    whole = [
        encoded(Image.fromarray(pixels(16, 16, 3)), kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
    ]
    for data in whole:
        for _ in range(60):
            damaged = np.frombuffer(data, np.uint8).copy()
            places = random.integers(0, len(damaged), 8)
            damaged[places] = random.integers(0, 256, 8)
            try:
                assert decode(damaged.tobytes()).dtype == np.uint8
            except UnreadableImageError as error:
                assert str(error)
