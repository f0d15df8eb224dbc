"""Published sets: the right classes and rows are kept, and no set gets a name it has not earned."""

import gzip
import hashlib
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.datasets import catalogue, published
from nn.datasets.catalogue import PUBLISHED, STEMS, Published, RemoteFile
from nn.datasets.errors import DataError
from nn.datasets.selection import keep_classes, parse_digits


def idx_bytes(values: np.ndarray) -> bytes:
    return struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape) + values.tobytes()


def small_set(train=30, test=12, classes=3, side=4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        catalogue.TRAIN_IMAGES: rng.integers(0, 256, (train, side, side)).astype(np.uint8),
        catalogue.TRAIN_LABELS: (np.arange(train) % classes).astype(np.uint8),
        catalogue.TEST_IMAGES: rng.integers(0, 256, (test, side, side)).astype(np.uint8),
        catalogue.TEST_LABELS: (np.arange(test) % classes).astype(np.uint8),
    }


def save(folder, arrays, pack=bytes):
    folder.mkdir(exist_ok=True)
    for stem, values in arrays.items():
        (folder / stem).write_bytes(pack(idx_bytes(values)))
    return str(folder)


def rows_of(split):
    blocks = list(split.blocks())
    return np.concatenate([b.images for b in blocks]), np.concatenate([b.labels for b in blocks])


def test_from_folder_reads_what_is_there(tmp_path):
    arrays = small_set()
    image_set = published.from_folder(save(tmp_path / "mine", arrays, gzip.compress), None)
    assert (image_set.name, image_set.classes) == ("mine (unverified)", ("0", "1", "2"))
    assert (image_set.height, image_set.width, image_set.train.rows, image_set.test.rows) == (4, 4, 30, 12)
    images, labels = rows_of(image_set.train)
    np.testing.assert_array_equal(images, arrays[catalogue.TRAIN_IMAGES])
    np.testing.assert_array_equal(labels, arrays[catalogue.TRAIN_LABELS])


def test_from_folder_names_classes_as_asked_but_unverified(tmp_path):
    image_set = published.from_folder(save(tmp_path / "mine", small_set()), "fashion-mnist")
    assert image_set.name == "fashion-mnist (unverified)"
    assert image_set.classes[0] == "T-shirt/top"
    more = published.from_folder(save(tmp_path / "more", small_set(classes=12)), "mnist")
    assert more.classes == tuple(map(str, range(12)))


@pytest.mark.parametrize("packed", [False, True])
def test_from_folder_recognizes_published_hashes(tmp_path, monkeypatch, packed):
    folder = save(tmp_path / "mine", small_set(), lambda data: gzip.compress(data, mtime=0))
    files = []
    for stem in STEMS:
        with open(os.path.join(folder, stem), "rb") as stream:
            content = stream.read()
        digest = hashlib.sha256(content if packed else gzip.decompress(content)).hexdigest()
        files.append(RemoteFile(stem, 1, digest) if packed else RemoteFile(stem, 1, "0" * 64, digest))
    monkeypatch.setitem(PUBLISHED, "tiny", Published("tiny", ("a", "b", "c"), (), tuple(files)))
    assert published.from_folder(folder, None).name == "tiny"
    assert published.from_folder(folder, "tiny", [2, 0]).classes == ("c", "a")
    with pytest.raises(DataError, match="expected mnist, found the files of tiny"):
        published.from_folder(folder, "mnist")
    with open(os.path.join(folder, STEMS[1]), "wb") as stream:  # one file of four is not the published one
        stream.write(idx_bytes(np.zeros(30, np.uint8)))
    assert published.from_folder(folder, None).name == "mine (unverified)"


def test_from_folder_keeps_classes_first_and_limits_second(tmp_path):
    image_set = published.from_folder(save(tmp_path / "mine", small_set()), None, (2, 0), 5)
    images, labels = rows_of(image_set.train)
    assert labels.tolist() == [1, 0, 1, 0, 1]  # rows 0, 2, 3, 5, 6 have the classes 0, 2, 0, 2, 0
    np.testing.assert_array_equal(images, small_set()[catalogue.TRAIN_IMAGES][[0, 2, 3, 5, 6]])
    assert image_set.test.rows == 5
    assert published.from_folder(str(tmp_path / "mine"), None, None, 1_000).train.rows == 30


@pytest.mark.parametrize(
    ("stem", "values", "message"),
    [
        (catalogue.TRAIN_LABELS, np.zeros(29, np.uint8), "found 30 images in .* and 29 labels in"),
        (catalogue.TEST_IMAGES, np.zeros((12, 5, 4), np.uint8), "found 4 x 4 in .* and 5 x 4 in"),
        (catalogue.TRAIN_IMAGES, np.zeros(30, np.uint8), "which is that of labels"),
    ],
)
def test_from_folder_refuses_files_that_do_not_fit(tmp_path, stem, values, message):
    with pytest.raises(DataError, match=message):
        published.from_folder(save(tmp_path / "mine", small_set() | {stem: values}), None)


def test_from_folder_says_which_file_is_missing(tmp_path):
    folder = save(tmp_path / "mine", small_set())
    os.remove(os.path.join(folder, catalogue.TEST_LABELS))
    with pytest.raises(DataError, match=r"expected t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz or"):
        published.from_folder(folder, None)


def test_keep_classes_refuses_a_class_without_rows():
    images, labels = np.zeros((2, 1, 1), np.uint8), np.array([0, 4], np.uint8)
    with pytest.raises(DataError, match="expected training images of class 7, found only classes 0, 4"):
        keep_classes(images, labels, (4, 7), "training")


@given(st.lists(st.integers(0, 9), min_size=1, max_size=50), st.permutations(range(10)), st.integers(1, 10))
def test_keep_classes_is_a_plain_loop_over_rows(labels, order, count):
    digits = [digit for digit in order if digit in labels][:count]
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None]
    stored, renumbered = keep_classes(images, np.array(labels, np.uint8), digits, "training")
    expected = [(row, digits.index(label)) for row, label in enumerate(labels) if label in digits]
    assert list(zip(stored.ravel().tolist(), renumbered.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 255), min_size=2, unique=True))
def test_parse_digits_reads_what_is_written(digits):
    assert parse_digits(", ".join(map(str, digits))) == tuple(digits)


@given(st.text(max_size=12))
def test_parse_digits_reads_or_refuses_any_text(text):
    try:
        digits = parse_digits(text)
    except ValueError as error:
        assert "expected" in str(error)
        return
    assert len(digits) >= 2
    assert parse_digits(",".join(map(str, digits))) == digits


@pytest.mark.parametrize("text", ["", "1", "1,", "1,1", "-1,2", "1,256", "1;2", "one,two", "1.0,2", "²,1"])
def test_parse_digits_refuses(text):
    with pytest.raises(ValueError, match="expected"):
        parse_digits(text)


@pytest.mark.mnist
def test_mnist_is_recognized_whole(mnist):
    image_set = published.from_folder(str(mnist), None)
    assert (image_set.name, image_set.classes) == ("mnist", tuple("0123456789"))
    assert (image_set.train.rows, image_set.test.rows, image_set.height, image_set.width) == (
        60_000,
        10_000,
        28,
        28,
    )


@pytest.mark.mnist
def test_mnist_zeros_and_ones_are_the_articles_binary_task(mnist):
    image_set = published.from_folder(str(mnist), "mnist", (0, 1))
    assert (image_set.train.rows, image_set.test.rows) == (12_665, 2_115)
    assert np.bincount(rows_of(image_set.train)[1]).tolist() == [5_923, 6_742]
    swapped = published.from_folder(str(mnist), "mnist", (1, 0))
    assert np.bincount(rows_of(swapped.train)[1]).tolist() == [6_742, 5_923]
