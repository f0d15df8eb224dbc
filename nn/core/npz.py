"""Named arrays <-> the bytes of an .npz file that plain NumPy opens; what comes from elsewhere is checked first.

An .npz file is a zip archive with a .npy file for each array: a short header of type and shape, then the numbers. Here
every member lies uncompressed, so that an archive cannot unpack into more than its own size, and a header is believed
only where its type and shape ask for exactly the bytes that follow it. Objects, which NumPy would unpickle, have no
type that is read. A text among the arrays may hold JSON.
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
MOST_DIGITS = 300  # of a whole number in JSON; a float holds 308
MAGIC = b"\x93NUMPY"
VERSIONS = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # of a header: bytes that say its length
# The header as NumPy writes it: type, order of the axes, shape. Types: numbers and texts, of sizes that NumPy knows.
HEADER = re.compile(
    rb"\{'descr': '([<>|](?:f[248]|[iu][1248]|U\d{1,9}))', 'fortran_order': (True|False), "
    rb"'shape': \((|\d{1,15},|\d{1,15}(?:, \d{1,15}){1,31})\), \} *\n"
)
# What the zip module raises on bytes that are no archive, beside its own error.
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
    """The file's content; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def from_bytes(content: bytes) -> dict[str, np.ndarray]:
    """The arrays by name; ValueError says what is wrong with the file."""
    return {name: array_of(text, name) for name, text in _members(content).items()}


def _members(content: bytes) -> dict[str, bytes]:
    """The .npy files in the archive, by the names of their arrays."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _refuse_packed(members, len(content))
            for member in members:
                name = _name(member.filename)
                if name in found:
                    raise ValueError(f"expected each array once, found {_shown(name)} twice")
                found[name] = archive.read(member)
    except UNREADABLE as error:
        raise ValueError(f"no .npz archive of plain arrays ({str(error)[:100]})") from None
    return found


def _refuse_packed(members: list[zipfile.ZipInfo], size: int) -> None:
    """ValueError where the members unpack into more than the archive's own size."""
    packed = next((each for each in members if each.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:
        raise ValueError(f"expected arrays as they lie, found {_shown(packed.filename)} compressed")
    claimed = sum(each.file_size for each in members)
    if claimed > size:
        raise ValueError(
            f"expected arrays of at most the file's {size:,} bytes, found headers for {claimed:,}"
        )


def _name(filename: str) -> str:
    if not filename.endswith(SUFFIX):
        raise ValueError(f"expected arrays alone, found {_shown(filename)}")
    return filename[: -len(SUFFIX)]


def array_of(text: bytes, name: str) -> np.ndarray:
    """The array in the bytes of one .npy file; ValueError where they are none of plain numbers or texts."""
    head, start = _header(text)
    match = HEADER.fullmatch(head)
    if match is None:
        raise ValueError(
            f"{_shown(name)}: expected an array of plain numbers, found the header {_shown(head)}"
        )
    descr, fortran, sizes = match.groups()
    try:
        dtype = np.dtype(descr.decode())
    except TypeError:  # a text of more letters than NumPy counts
        raise ValueError(f"{_shown(name)}: expected a plain type, found {_shown(descr)}") from None
    shape = tuple(int(size) for size in sizes.split(b",") if size)
    held, wanted = len(text) - start, math.prod(shape) * dtype.itemsize
    if held != wanted:
        raise ValueError(
            f"{_shown(name)}: expected {wanted:,} bytes for {dtype} {shape} as its header says, found {held:,}"
        )
    if not wanted:
        return np.empty(shape, dtype)
    if dtype.kind == "U" and np.frombuffer(text, f"{dtype.byteorder}u4", offset=start).max() > sys.maxunicode:
        raise ValueError(f"{_shown(name)}: expected a text, found numbers that stand for no letters")
    flat = np.frombuffer(text, dtype, offset=start)
    return (flat.reshape(shape[::-1]).T if fortran == b"True" else flat.reshape(shape)).copy(order="K")


def json_of(arrays: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """Take the text of that name out of the arrays: the JSON object in it; ValueError where it is none."""
    text = arrays.pop(name, None)
    if text is None or text.shape != () or text.dtype.kind != "U":
        raise ValueError(f'expected a text named "{name}", found none')
    try:
        whole = json.loads(str(text), parse_constant=_no_constant, parse_int=_whole_number)
    except RecursionError:
        raise ValueError("expected JSON, found brackets nested too deep") from None
    if not isinstance(whole, dict):
        raise ValueError(f"expected a JSON object, found {type(whole).__name__}")
    return whole


def _no_constant(name: str) -> float:
    raise ValueError(f"expected JSON, found {name}")


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:  # a number that is no float is less than infinity all the same
        raise ValueError(f"expected numbers of at most {MOST_DIGITS} digits, found one of {len(digits)}")
    return int(digits)


def _header(text: bytes) -> tuple[bytes, int]:
    """The header of a .npy file's bytes, and where the numbers start."""
    version = text[len(MAGIC) : len(MAGIC) + 2]
    if not text.startswith(MAGIC) or version not in VERSIONS:
        return b"", 0
    start = len(MAGIC) + 2 + VERSIONS[version]
    length = int.from_bytes(text[len(MAGIC) + 2 : start], "little")
    return text[start : start + length], start + length


def _shown(found: str | bytes) -> str:
    """A name or a header from a file, as it can be printed in a line."""
    return ascii(found[:80]).removeprefix("b")
