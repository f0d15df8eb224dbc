"""Read IDX, the format of MNIST: a magic number, the sizes, then one byte per value.

Source: the description at the end of http://yann.lecun.com/exdb/mnist/. The magic number is 2048 (unsigned
bytes) + the number of dimensions; the sizes are big-endian 32-bit numbers. The sizes in the header are compared
with the length of the file before they are used.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from nn.datasets.errors import DataError

UNPACKED_CAP = 1 << 30  # bytes; the largest set of the family, EMNIST by class, unpacks to 547 MB
PIECE = 1 << 20  # read in pieces, so that a false size in a header never allocates more than the file holds
MAGIC = 0x0800  # of unsigned bytes, to which the number of dimensions is added
GZIP_MAGIC = b"\x1f\x8b"


class Idx(NamedTuple):
    """The content of an IDX file, and the SHA-256 of its unpacked bytes."""

    values: np.ndarray  # uint8, (n, h, w) or (n,)
    sha256: str


def read_images(path: str, cap: int = UNPACKED_CAP) -> Idx:
    """Read an image file, gzipped or not, into (n, h, w)."""
    return _read(path, 3, cap)


def read_labels(path: str, cap: int = UNPACKED_CAP) -> Idx:
    """Read a label file, gzipped or not, into (n,)."""
    return _read(path, 1, cap)


def _read(path: str, ndim: int, cap: int) -> Idx:
    """Read and check one file. Raises DataError that begins with its path for any fault of its content."""
    try:
        with open(path, "rb") as raw:
            # By content, not by name: browsers unpack files and leave the .gz in their names.
            packed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            return parse(stream, ndim, cap)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: expected whole gzip data, found it damaged or cut off ({error})") from error
    except IsADirectoryError:
        raise DataError(f"{path}: expected an IDX file, found a folder") from None


def parse(stream: BinaryIO, ndim: int, cap: int = UNPACKED_CAP) -> Idx:
    """Read an IDX stream of `ndim` dimensions. Raises DataError if its length is not that of its header."""
    header = _read_at_most(stream, 4 + 4 * ndim)
    shape = _shape(header, ndim)
    size = math.prod(shape)
    if len(header) + size > cap:
        raise DataError(
            f"expected at most {cap:,} bytes, found a header that announces {len(header) + size:,}"
        )
    body = _read_at_most(stream, size + 1)  # one byte more than the header announces, which must not be there
    if len(body) != size:
        found = f"{len(body):,}" if len(body) < size else "more"
        raise DataError(f"expected {size:,} bytes after the header, for {_times(shape)}, found {found}")
    digest = hashlib.sha256(header)
    digest.update(body)
    return Idx(np.frombuffer(body, np.uint8).reshape(shape), digest.hexdigest())


def sha256_of(path: str) -> str:
    """Return the SHA-256 of a file's bytes on the disk."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def file_names(stem: str) -> tuple[str, ...]:
    """Return the usual names of a file such as train-images-idx3-ubyte, the most frequent first."""
    dotted = stem.replace("-idx", ".idx")
    return stem, f"{stem}.gz", dotted, f"{dotted}.gz"


def find(folder: str, stem: str) -> str:
    """Return the path of a file in the folder under one of its usual names. Raises DataError if there is none."""
    paths = [os.path.join(folder, name) for name in file_names(stem)]
    for path in paths:
        if os.path.isfile(path):
            return path
    raise DataError(f"{folder}: expected {' or '.join(file_names(stem))}, found none of them")


def _shape(header: bytearray, ndim: int) -> tuple[int, ...]:
    """Return the shape that a header announces. Raises DataError for a header that is none."""
    if len(header) < 4 + 4 * ndim:
        raise DataError(f"expected an IDX header of {4 + 4 * ndim} bytes, found {len(header)}")
    magic, *shape = struct.unpack(f">{1 + ndim}I", header)
    expected = MAGIC + ndim
    if magic != expected:
        kind = {1: "labels", 3: "images"}
        other = kind.get(magic - MAGIC)
        hint = f", which is that of {other}" if other else ""
        raise DataError(f"expected the IDX magic number {expected} of {kind[ndim]}, found {magic}{hint}")
    if min(shape) == 0:
        raise DataError(f"expected sizes above 0, found {_times(shape)}")
    return tuple(shape)


def _read_at_most(stream: BinaryIO, limit: int) -> bytearray:
    """Read until the end of the stream, or `limit` bytes."""
    data = bytearray()
    while len(data) < limit and (piece := stream.read(min(PIECE, limit - len(data)))):
        data += piece
    return data


def _times(shape) -> str:
    """Return (60000, 28, 28) as '60,000 x 28 x 28'."""
    return " x ".join(f"{size:,}" for size in shape)
