"""Convert named arrays to the bytes of an .npz file and back; check files from elsewhere before anything is read.

An .npz file is a zip archive with one .npy file per array: a short header with dtype and shape, then the numbers. Only
uncompressed archives are read, so none can unpack into more than its own size. Dtype and shape must ask for exactly
the bytes that follow the header. Object arrays, which NumPy would unpickle, are refused. A text among the arrays may
hold JSON.

numpy.lib.format reads the header. It evaluates it as a Python literal, which on damaged headers raises TokenError,
SyntaxError, IndexError or MemoryError as well as ValueError, and warns. All of these become a ValueError here, and
LONGEST_HEADER keeps the literal short.
"""

from __future__ import annotations

import io
import json
import math
import struct
import sys
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

SUFFIX = ".npy"
MAX_DIGITS = 300  # of an integer in JSON; a float holds 308
LONGEST_HEADER = 1024  # bytes; NumPy writes 118 for most arrays, and about 600 at most
LARGEST = 1 << 48  # of a dimension: NumPy multiplies them as 64-bit integers
HEADERS: dict[tuple[int, int], Any] = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# The exceptions of the zipfile module for bytes that are not an archive.
UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    OverflowError,
    struct.error,
)


def to_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the content of the file. The same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def from_bytes(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays by name. Raises ValueError that says what is wrong with the file."""
    return {name: read_array(member, name) for name, member in _members(content).items()}


def _members(content: bytes) -> dict[str, bytes]:
    """Return the .npy files in the archive by the names of their arrays."""
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_sizes(members, len(content))
            for member in members:
                name = _name(member.filename)
                if name in contents:
                    raise ValueError(f"expected each array once, found {_shown(name)} twice")
                contents[name] = archive.read(member)
    except UNREADABLE as error:
        raise ValueError(f"not an .npz archive of plain arrays ({str(error)[:100]})") from None
    return contents


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    """Raise ValueError if the members would unpack into more than the archive's own size."""
    compressed = next((member for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if compressed is not None:
        raise ValueError(f"expected uncompressed arrays, found {_shown(compressed.filename)} compressed")
    claimed = sum(member.file_size for member in members)
    if claimed > size:
        raise ValueError(
            f"expected arrays of at most the file's {size:,} bytes, found headers for {claimed:,}"
        )


def _name(filename: str) -> str:
    if not filename.endswith(SUFFIX):
        raise ValueError(f"expected nothing but .npy files, found {_shown(filename)}")
    return filename[: -len(SUFFIX)]


def read_array(content: bytes, name: str) -> np.ndarray:
    """Read one .npy file. Raises ValueError, with `name`, for anything but an array of plain numbers or strings."""
    file = io.BytesIO(content)
    shape, dtype = _read_header(file, name)
    size, expected = len(content) - file.tell(), math.prod(shape) * dtype.itemsize
    if size != expected:
        raise ValueError(
            f"{_shown(name)}: expected {expected:,} bytes for {dtype} {shape} as its header says, found {size:,}"
        )
    if dtype.kind == "U" and size:
        codes = np.frombuffer(content, f"{dtype.byteorder}u4", offset=file.tell())
        if codes.max() > sys.maxunicode:
            raise ValueError(
                f"{_shown(name)}: expected a text, found numbers that are not Unicode characters"
            )
    file.seek(0)
    return npy.read_array(file, allow_pickle=False, max_header_size=LONGEST_HEADER)


def _read_header(file: BinaryIO, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and the dtype of a .npy file up to its numbers. Raises ValueError if they are not plain."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read_header = HEADERS[npy.read_magic(file)]
            shape, _, dtype = read_header(file, max_header_size=LONGEST_HEADER)
    except Exception as error:
        reason = f"a faulty header: {_shown(str(error))}"
    else:
        # NumPy 1 gives a text that is too long a negative size.
        is_plain = dtype.itemsize > 0 and (dtype.kind == "U" or (dtype.kind in "fiu" and dtype.itemsize <= 8))
        if is_plain and all(type(size) is int and 0 <= size < LARGEST for size in shape):
            return shape, dtype
        reason = f"{_shown(str(dtype))} in the shape {_shown(str(shape))}"
    raise ValueError(f"{_shown(name)}: expected an array of plain numbers, found {reason}")


def pop_json(arrays: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """Remove the text called `name` from the arrays and return the JSON object in it.

    Raises ValueError if there is no such text, or it is not a JSON object.
    """
    text = arrays.pop(name, None)
    if text is None or text.shape != () or text.dtype.kind != "U":
        raise ValueError(f'expected a text named "{name}", found none')
    try:
        value = json.loads(str(text), parse_constant=_refuse_constant, parse_int=_parse_integer)
    except RecursionError:
        raise ValueError("expected JSON, found brackets nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"expected JSON, found {name}")


def _parse_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:  # an integer too large for a float would pass a comparison with infinity
        raise ValueError(f"expected numbers of at most {MAX_DIGITS} digits, found one of {len(digits)}")
    return int(digits)


def _shown(text: str) -> str:
    """Return a text from a file in printable form, cut to 80 characters."""
    return ascii(text[:80])
