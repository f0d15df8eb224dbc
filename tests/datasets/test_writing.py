"""Writing: the lines are those of np.savetxt, and no file is ever half-written under its final name."""

import io
import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.datasets import writing
from nn.datasets.imageset import Block, ImageSet, Split, split_of

NAMES = [
    "dataset.json",
    "mnist_images_test.csv",
    "mnist_images_train.csv",
    "mnist_labels_test.csv",
    "mnist_labels_train.csv",
]
pixels = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
labels_of_7 = hnp.arrays(np.uint8, st.integers(1, 30), elements=st.integers(0, 6))


def savetxt(values, **how) -> bytes:
    out = io.BytesIO()
    np.savetxt(out, values, **how)
    return out.getvalue()


@given(pixels)
def test_compact_images_are_those_of_savetxt(images):
    assert writing.compact_images(images) == savetxt(images, fmt="%d", delimiter=",")


@given(pixels)
def test_original_images_are_those_of_savetxt(images):
    assert writing.original_images(images) == savetxt(images / 255)


def test_original_images_are_those_of_savetxt_for_every_value():
    images = np.arange(256, dtype=np.uint8).reshape(2, 128)
    assert writing.original_images(images) == savetxt(images / 255)


@given(labels_of_7)
def test_labels_are_those_of_savetxt(labels):
    assert writing.compact_labels(labels, 7) == savetxt(labels, fmt="%d")
    assert writing.original_labels(labels, 7) == savetxt(np.eye(7)[labels])


@given(pixels)
def test_images_come_back_as_they_were(images):
    read = np.loadtxt(io.BytesIO(writing.compact_images(images)), delimiter=",", ndmin=2)
    np.testing.assert_array_equal(read, images)
    read = np.loadtxt(io.BytesIO(writing.original_images(images)), ndmin=2)
    np.testing.assert_array_equal(read, images / 255)


def image_set(train=2_300, test=40, seed=None) -> ImageSet:
    rng = np.random.default_rng(1)

    def split(rows):
        return split_of(
            rng.integers(0, 256, (rows, 2, 3)).astype(np.uint8), (np.arange(rows) % 3).astype(np.uint8)
        )

    return ImageSet("little", ("a", "b", "é"), 2, 3, "a test", split(train), split(test), seed)


@pytest.mark.parametrize(("encoding", "delimiter"), [("compact", ","), ("original", None)])
def test_write_set_writes_all_rows_in_order(tmp_path, encoding, delimiter):
    made = image_set()
    written = writing.write_set(made, str(tmp_path / "new"), encoding, "python x")
    assert sorted(os.listdir(tmp_path / "new")) == NAMES
    assert [os.path.getsize(file.path) for file in written] == [file.size for file in written]
    images = np.loadtxt(tmp_path / "new" / "mnist_images_train.csv", delimiter=delimiter)
    labels = np.loadtxt(tmp_path / "new" / "mnist_labels_train.csv")
    expected = np.concatenate([block.images.reshape(-1, 6) for block in made.train.blocks()])
    np.testing.assert_array_equal(images, expected if encoding == "compact" else expected / 255)
    numbers = np.arange(2_300) % 3
    np.testing.assert_array_equal(labels, numbers if encoding == "compact" else np.eye(3)[numbers])
    assert len(np.loadtxt(tmp_path / "new" / "mnist_images_test.csv", delimiter=delimiter)) == 40


def test_manifest_says_what_the_set_is(tmp_path):
    writing.write_set(image_set(seed=9), str(tmp_path), "compact", "python x")
    assert json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8")) == {
        "name": "little",
        "classes": ["a", "b", "é"],
        "train_rows": 2_300,
        "test_rows": 40,
        "width": 3,
        "height": 2,
        "format": "compact",
        "source": "a test",
        "command": "python x",
        "seed": 9,
    }


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_write_set_leaves_nothing_when_it_fails(tmp_path, error):
    def blocks():
        yield Block(np.zeros((1, 2, 3), np.uint8), np.zeros(1, np.uint8))
        raise error

    made = image_set()
    broken = ImageSet("little", made.classes, 2, 3, "a test", made.train, Split(2, blocks))
    with pytest.raises(type(error)):
        writing.write_set(broken, str(tmp_path), "compact", "python x")
    assert os.listdir(tmp_path) == []


def test_write_set_keeps_the_old_set_when_it_fails(tmp_path):
    def blocks():
        raise OSError("No space left on device")

    writing.write_set(image_set(train=5), str(tmp_path), "compact", "python x")
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}
    made = image_set()
    with pytest.raises(OSError, match="No space"):
        broken = ImageSet("other", made.classes, 2, 3, "a test", made.train, Split(2, blocks))
        writing.write_set(broken, str(tmp_path), "compact", "python x")
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_write_set_replaces_an_old_set_and_leaves_strangers_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    writing.write_set(image_set(), str(tmp_path), "original", "python x")
    writing.write_set(image_set(train=7), str(tmp_path), "compact", "python x")
    assert (tmp_path / "mnist_labels_train.csv").read_text() == "0\n1\n2\n0\n1\n2\n0\n"
    assert sorted(os.listdir(tmp_path)) == sorted([*NAMES, "notes.txt"])


def test_write_set_puts_the_manifest_last_and_takes_the_old_one_first(tmp_path, monkeypatch):
    writing.write_set(image_set(), str(tmp_path), "compact", "python x")
    moved = []
    replace = os.replace

    def watch(source, final):
        assert not (tmp_path / "dataset.json").exists()
        moved.append(os.path.basename(final))
        replace(source, final)

    monkeypatch.setattr(os, "replace", watch)
    writing.write_set(image_set(), str(tmp_path), "compact", "python x")
    assert sorted(moved) == NAMES
    assert moved[-1] == "dataset.json"


def test_write_set_refuses_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "mnist_labels_test.csv").mkdir()
    with pytest.raises(IsADirectoryError, match=r"mnist_labels_test.csv, found a folder"):
        writing.write_set(image_set(), str(tmp_path), "compact", "python x")
    assert os.listdir(tmp_path) == ["mnist_labels_test.csv"]
