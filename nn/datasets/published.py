"""Make an image set from the four IDX files of a published data set."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from nn.datasets import catalogue, download, idx
from nn.datasets.catalogue import PUBLISHED, Published
from nn.datasets.errors import DataError
from nn.datasets.imageset import ImageSet, split_of
from nn.datasets.selection import keep_classes

Arrays = tuple[np.ndarray, np.ndarray]  # images (n, h, w), labels (n,)


def from_download(
    published: Published, folder: str, digits: Sequence[int] | None = None, limit: int | None = None
) -> ImageSet:
    """Download a data set into the folder, unless its files are there, and read it."""
    paths = download.fetch_all(published, folder)
    train, test, _ = _read(paths)
    return _assemble(published.name, published.classes, published.mirrors[0], train, test, digits, limit)


def from_folder(
    folder: str, name: str | None, digits: Sequence[int] | None = None, limit: int | None = None
) -> ImageSet:
    """Read the IDX files in a user's folder; `name` is that of the published set they should be, if the user gave one.

    The image set gets a published name only if the hashes of all four files are those of that set. Raises DataError
    if they are those of another one.
    """
    paths = {stem: idx.find(folder, stem) for stem in catalogue.STEMS}
    train, test, hashes = _read(paths)
    known = recognize(paths, hashes)
    if known is not None:
        if name not in (None, known.name):
            raise DataError(f"{folder}: expected {name}, found the files of {known.name}")
        name, classes = known.name, known.classes
    else:
        classes = _class_names(name, max(int(train[1].max()), int(test[1].max())) + 1)
        name = f"{name or os.path.basename(os.path.abspath(folder))} (unverified)"
    return _assemble(name, classes, f"folder {folder}", train, test, digits, limit)


def recognize(paths: dict[str, str], unpacked: dict[str, str]) -> Published | None:
    """Return the published set whose hashes all four files have, gzipped or unpacked; None if there is none."""
    hashes = {stem: {unpacked[stem], idx.sha256_of(paths[stem])} for stem in paths}
    for published in PUBLISHED.values():
        if all({file.sha256, file.unpacked_sha256} & hashes[file.stem] for file in published.files):
            return published
    return None


def _read(paths: dict[str, str]) -> tuple[Arrays, Arrays, dict[str, str]]:
    """Read the four files. Return both splits, and the hashes of the unpacked bytes by stem."""
    files = {
        stem: (idx.read_images if "images" in stem else idx.read_labels)(path) for stem, path in paths.items()
    }
    train = _pair(files, paths, catalogue.TRAIN_IMAGES, catalogue.TRAIN_LABELS)
    test = _pair(files, paths, catalogue.TEST_IMAGES, catalogue.TEST_LABELS)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise DataError(
            f"expected training and test images of one size, "
            f"found {_size(train[0])} in {paths[catalogue.TRAIN_IMAGES]} "
            f"and {_size(test[0])} in {paths[catalogue.TEST_IMAGES]}"
        )
    return train, test, {stem: file.sha256 for stem, file in files.items()}


def _pair(files: dict[str, idx.Idx], paths: dict[str, str], images_stem: str, labels_stem: str) -> Arrays:
    """Return the images and labels of one split. Raises DataError if their numbers differ."""
    images, labels = files[images_stem].values, files[labels_stem].values
    if len(images) != len(labels):
        raise DataError(
            f"expected as many labels as images, found {len(images):,} images in {paths[images_stem]} "
            f"and {len(labels):,} labels in {paths[labels_stem]}"
        )
    return images, labels


def _class_names(name: str | None, count: int) -> tuple[str, ...]:
    """Return class names for files that were not recognized: those of the set `name`, or else the class numbers."""
    if name in PUBLISHED and count <= len(PUBLISHED[name].classes):
        return PUBLISHED[name].classes
    return tuple(map(str, range(count)))


def _assemble(
    name: str,
    classes: tuple[str, ...],
    source: str,
    train: Arrays,
    test: Arrays,
    digits: Sequence[int] | None,
    limit: int | None,
) -> ImageSet:
    """Keep the chosen classes, and of these the first `limit` rows."""
    if digits is not None:
        train = keep_classes(*train, digits, "training")
        test = keep_classes(*test, digits, "test")
        classes = tuple(classes[digit] for digit in digits)
    height, width = train[0].shape[1:]
    return ImageSet(
        name=name,
        classes=classes,
        height=height,
        width=width,
        source=source,
        train=split_of(train[0][:limit], train[1][:limit]),
        test=split_of(test[0][:limit], test[1][:limit]),
    )


def _size(images: np.ndarray) -> str:
    """Return height and width as '28 x 28'."""
    return f"{images.shape[1]} x {images.shape[2]}"
