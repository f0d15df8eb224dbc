"""Writing an image set as text: four CSV files and a dataset.json, none of them ever half-written.

compact    pixels as integers 0..255 between commas; labels as class numbers.
original   what np.savetxt writes: pixels / 255 as %.18e between spaces; labels one-hot in the same way.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.datasets.imageset import ImageSet, Split
from nn.datasets.progress import Progress

MANIFEST = "dataset.json"


class Written(NamedTuple):
    """A finished file."""

    path: str
    size: int  # bytes


class Encoding(NamedTuple):
    """How rows become lines of text."""

    images: Callable[[np.ndarray], bytes]  # (n, pixels) uint8 -> lines
    labels: Callable[[np.ndarray, int], bytes]  # (n,) uint8, number of classes -> lines


# One text for each value of a byte, once with what follows it in a line and once with what ends the line;
# in an array of fixed width, so that shorter texts are filled up with zero bytes.
COMPACT = np.array([b"%d," % value for value in range(256)])
COMPACT_END = np.array([b"%d\n" % value for value in range(256)])
ORIGINAL = np.array([b"%.18e " % (value / 255) for value in range(256)])
ORIGINAL_END = np.array([b"%.18e\n" % (value / 255) for value in range(256)])


def _lines(values: np.ndarray, table: np.ndarray, table_end: np.ndarray) -> bytes:
    """Look every value up: a hundred times faster than formatting it."""
    texts = table[values]  # (n, pixels) of fixed width
    texts[:, -1] = table_end[values[:, -1]]
    return texts.tobytes().translate(None, b"\0")


def compact_images(images: np.ndarray) -> bytes:
    """Lines such as 0,0,128,255."""
    return _lines(images, COMPACT, COMPACT_END)


def compact_labels(labels: np.ndarray, classes: int) -> bytes:
    """Lines such as 7."""
    return _lines(labels[:, None], COMPACT, COMPACT_END)


def original_images(images: np.ndarray) -> bytes:
    """Lines such as 0.000000000000000000e+00 5.019607843137254832e-01."""
    return _lines(images, ORIGINAL, ORIGINAL_END)


def original_labels(labels: np.ndarray, classes: int) -> bytes:
    """One-hot lines such as 0.000000000000000000e+00 1.000000000000000000e+00."""
    one_hot = np.eye(classes, dtype=np.uint8) * np.uint8(255)
    return _lines(one_hot[labels], ORIGINAL, ORIGINAL_END)


ENCODINGS = {
    "compact": Encoding(compact_images, compact_labels),
    "original": Encoding(original_images, original_labels),
}


def write_set(image_set: ImageSet, folder: str, encoding: str, command: str) -> list[Written]:
    """Write the set into the folder and give its files, the manifest last.

    Everything is written in a folder beside the final names and moved at the end. The old manifest goes first
    and the new one comes last: a folder with a manifest holds one whole set.
    """
    unfinished = os.path.join(folder, f".unfinished-{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a killed run that had this number, as in containers
    os.makedirs(unfinished)
    try:
        names = [
            *_write_split(image_set.train, "train", image_set, unfinished, encoding),
            *_write_split(image_set.test, "test", image_set, unfinished, encoding),
            _write_manifest(image_set, unfinished, encoding, command),
        ]
        return _move(names, unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_split(split: Split, part: str, image_set: ImageSet, folder: str, encoding: str) -> list[str]:
    """Write images and labels of one split, a block at a time; give the two names."""
    names = [f"mnist_images_{part}.csv", f"mnist_labels_{part}.csv"]
    encode = ENCODINGS[encoding]
    with (
        open(os.path.join(folder, names[0]), "wb") as images_file,
        open(os.path.join(folder, names[1]), "wb") as labels_file,
        Progress(f"writing {names[0]}", split.rows, "rows") as progress,
    ):
        for images, labels in split.blocks():
            images_file.write(encode.images(images.reshape(len(images), -1)))
            labels_file.write(encode.labels(labels, len(image_set.classes)))
            progress.advance(len(labels))
    return names


def _write_manifest(image_set: ImageSet, folder: str, encoding: str, command: str) -> str:
    """Write what the set is; give the name."""
    manifest = {
        "name": image_set.name,
        "classes": list(image_set.classes),
        "train_rows": image_set.train.rows,
        "test_rows": image_set.test.rows,
        "width": image_set.width,
        "height": image_set.height,
        "format": encoding,
        "source": image_set.source,
        "command": command,
    }
    if image_set.seed is not None:
        manifest["seed"] = image_set.seed
    # A path in the command that is no text: what Python writes for its bytes is an escape of JSON, too.
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8", errors="backslashreplace") as out:
        json.dump(manifest, out, indent=2, ensure_ascii=False)
        out.write("\n")
    return MANIFEST


def _move(names: list[str], unfinished: str, folder: str) -> list[Written]:
    """Give finished files their final names; the manifest is the last of them."""
    finals = [os.path.join(folder, name) for name in names]
    for final in finals:
        if os.path.isdir(final):
            raise IsADirectoryError(f"expected to write the file {final}, found a folder of that name")
    if os.path.exists(finals[-1]):
        os.remove(finals[-1])
    for name, final in zip(names, finals, strict=True):
        os.replace(os.path.join(unfinished, name), final)
    return [Written(final, os.path.getsize(final)) for final in finals]
