"""Convert named arrays to the bytes of an .npz file and back; check files from elsewhere before anything is read.

An .npz file is a zip archive with one .npy file per array: a short header with dtype and shape, then the numbers. Only
uncompressed archives are read, so none can unpack into more than its own size. Dtype and shape must ask for exactly
the bytes that follow the header. Object arrays, which NumPy would unpickle, are refused. A text among the arrays may
hold JSON.

The header is matched against the form in which NumPy writes it. numpy.lib.format evaluates it as a Python literal: on
damaged headers that raises TokenError, SyntaxError, IndexError or MemoryError as well as ValueError, warns, and accepts
dtypes that are not plain numbers.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

SUFFIX = ".npy"
MAX_DIGITS = 300  # of an integer in JSON; a float holds 308
MAGIC = b"\x93NUMPY"
VERSIONS = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # of a header -> bytes that hold its length
# A header as NumPy writes it: dtype, memory order, shape. The dtypes are numbers and texts of the sizes that NumPy has.
HEADER = re.compile(
    rb"\{'descr': '([<>|](?:f[248]|[iu][1248]|U\d{1,9}))', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,15},|\d{1,15}(?:, \d{1,15}){1,31})\), \} *\n"
)
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
    """Read one .npy file. Raises ValueError, with `name`, for anything but an array of plain numbers or texts."""
    header, start = _header(content)
    match = HEADER.fullmatch(header)
    if match is None:
        raise ValueError(
            f"{_shown(name)}: expected an array of plain numbers, found the header {_shown(header)}"
        )
    descr, fortran, sizes = match.groups()
    try:
        dtype = np.dtype(descr.decode())
    except TypeError:  # a text that is longer than NumPy allows
        raise ValueError(f"{_shown(name)}: expected a plain dtype, found {_shown(descr)}") from None
    shape = tuple(int(size) for size in sizes.split(b",") if size)
    size, expected = len(content) - start, math.prod(shape) * dtype.itemsize
    if size != expected:
        raise ValueError(
            f"{_shown(name)}: expected {expected:,} bytes for {dtype} {shape} as its header says, found {size:,}"
        )
    if not expected:
        return np.empty(shape, dtype)
    if dtype.kind == "U":
        codes = np.frombuffer(content, f"{dtype.byteorder}u4", offset=start)
        if codes.max() > sys.maxunicode:
            raise ValueError(
                f"{_shown(name)}: expected a text, found numbers that are not Unicode characters"
            )
    flat = np.frombuffer(content, dtype, offset=start)
    return (flat.reshape(shape[::-1]).T if fortran == b"True" else flat.reshape(shape)).copy(order="K")


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


def _header(content: bytes) -> tuple[bytes, int]:
    """Return the header of a .npy file and the offset of its numbers."""
    version = content[len(MAGIC) : len(MAGIC) + 2]
    if not content.startswith(MAGIC) or version not in VERSIONS:
        return b"", 0
    start = len(MAGIC) + 2 + VERSIONS[version]
    length = int.from_bytes(content[len(MAGIC) + 2 : start], "little")
    return content[start : start + length], start + length


def _shown(text: str | bytes) -> str:
    """Return a name or a header from a file in printable form, cut to 80 characters."""
    return ascii(text[:80]).removeprefix("b")
