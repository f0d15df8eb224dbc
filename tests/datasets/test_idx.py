"""IDX files: what is whole is read, what is not says so and costs no memory."""

import gzip
import hashlib
import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.datasets import idx
from nn.datasets.errors import DataError


def idx_bytes(values: np.ndarray) -> bytes:
    return struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read_images_reads_plain_and_gzipped_files(tmp_path, pack):
    path = tmp_path / "any-name.gz"
    path.write_bytes(pack(idx_bytes(IMAGES)))
    images_read = idx.read_images(str(path))
    assert images_read.values.dtype == np.uint8
    np.testing.assert_array_equal(images_read.values, IMAGES)
    assert images_read.sha256 == hashlib.sha256(idx_bytes(IMAGES)).hexdigest()


def test_read_labels_reads_one_dimension(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.array([3, 1, 4], np.uint8)))
    assert idx.read_labels(str(path)).values.tolist() == [3, 1, 4]


WHOLE = idx_bytes(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an IDX header of 16 bytes, found 0"),
        (WHOLE[:10], "expected an IDX header of 16 bytes, found 10"),
        (WHOLE[:-1], "expected 24 bytes after the header, for 2 x 3 x 4, found 23"),
        (WHOLE + b"x", "expected 24 bytes after the header, for 2 x 3 x 4, found more"),
        (
            idx_bytes(np.zeros(20, np.uint8)),
            "magic number 2051 of images, found 2049, which is that of labels",
        ),
        (b"\x00\x00\x0d\x03" + WHOLE[4:], "magic number 2051 of images, found 3331"),
        (struct.pack(">4I", 2051, 0, 28, 28), "expected sizes above 0, found 0 x 28 x 28"),
        (struct.pack(">4I", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1), "expected at most 1,073,741,824 bytes"),
        (b"<html>a page that asks for a login</html>", "magic number 2051 of images, found"),
        (gzip.compress(WHOLE)[:-12], "expected whole gzip data, found it damaged or cut off"),
        (gzip.compress(WHOLE)[:10] + b"\xff" * 30, "expected whole gzip data, found it damaged or cut off"),
        (gzip.compress(WHOLE)[:-8] + b"\xff" * 8, "expected whole gzip data, found it damaged or cut off"),
        (gzip.compress(WHOLE) + b"tail", "expected whole gzip data, found it damaged or cut off"),
        (b"\x1f\x8b", "expected whole gzip data, found it damaged or cut off"),
    ],
    ids=map(str, range(14)),
)
def test_read_images_says_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        idx.read_images(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_read_images_stops_a_gzip_bomb_at_the_announced_size(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(
        gzip.compress(struct.pack(">4I", 2051, 10, 28, 28) + bytes(200_000_000), compresslevel=1)
    )
    tracemalloc.start()
    with pytest.raises(DataError, match="found more"):
        idx.read_images(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_read_images_allocates_nothing_for_a_false_size(tmp_path):
    path = tmp_path / "liar"
    path.write_bytes(struct.pack(">4I", 2051, 1_000_000, 28, 28) + b"few")
    tracemalloc.start()
    with pytest.raises(DataError, match="expected 784,000,000 bytes after the header"):
        idx.read_images(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_read_images_respects_a_lower_cap(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(WHOLE)
    assert idx.read_images(str(path), cap=40).values.shape == (2, 3, 4)
    with pytest.raises(DataError, match="expected at most 39 bytes, found a header that announces 40"):
        idx.read_images(str(path), cap=39)


@given(st.binary(max_size=80), st.sampled_from([1, 3]))
def test_parse_reads_or_refuses_any_bytes(content, ndim):
    try:
        images_read = idx.parse(io.BytesIO(content), ndim, cap=1 << 16)
    except DataError:
        return
    assert idx_bytes(images_read.values) == content


@given(
    st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 6), min_size=3, max_size=3), st.binary(max_size=60)
)
def test_parse_believes_no_size_that_the_file_does_not_bear_out(sizes, body):
    content = struct.pack(">4I", 2051, *sizes) + body
    try:
        images_read = idx.parse(io.BytesIO(content), 3)
    except DataError:
        assert sizes[0] * sizes[1] * sizes[2] != len(body) or min(sizes) == 0
        return
    assert images_read.values.shape == tuple(sizes)
    assert images_read.values.tobytes() == body


@given(st.lists(st.integers(0, 255), min_size=1))
def test_parse_gives_back_what_was_put_in(labels):
    values = np.array(labels, np.uint8)
    assert idx.parse(io.BytesIO(idx_bytes(values)), 1).values.tolist() == labels


@pytest.mark.parametrize("name", ["t-idx3-ubyte", "t-idx3-ubyte.gz", "t.idx3-ubyte", "t.idx3-ubyte.gz"])
def test_find_knows_the_usual_names(tmp_path, name):
    (tmp_path / name).touch()
    assert idx.find(str(tmp_path), "t-idx3-ubyte") == str(tmp_path / name)


def test_find_says_which_names_it_looked_for(tmp_path):
    (tmp_path / "t-idx3-ubyte").mkdir()
    with pytest.raises(DataError, match=r"expected t-idx3-ubyte or t-idx3-ubyte.gz or t.idx3-ubyte or"):
        idx.find(str(tmp_path), "t-idx3-ubyte")
