"""Hints on what to do about values that are not numbers and files that are not text."""

from __future__ import annotations

import re

from nn.data.dialect import DECIMAL_COMMA, MISSING, NOT_FINITE, SEPARATORS

_LOGICAL = re.compile(r"true|false|yes|no|t|f", re.IGNORECASE)
_PAIR = re.compile(r"\d+:[+-]?[\d.]\S*")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")

PICKLE = "a Python pickle, which may run code and is never read: write it as CSV first"
FORMATS = (  # the first bytes of a file, its format, and what to do
    (b"PAR1", "a Parquet file: write it as CSV first, as with spark.read.parquet(...).write.csv(...)"),
    (b"ORC", "an ORC file: write it as CSV first, as with spark.read.orc(...).write.csv(...)"),
    (b"Obj\x01", "an Avro file: write it as CSV first"),
    (b"\x00\x00\x08", "an IDX file: python generate_data.py --from FOLDER makes CSV files of it"),
    (b"\x93NUMPY", "a .npy file: np.savetxt(path, np.load(...), delimiter=',') makes a CSV file of it"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV"),
    (b"\x1f\x8b", "a gzip file: give its name the ending .gz"),
    (b"BZh", "a bzip2 file: give its name the ending .bz2"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file: give its name the ending .zst"),
    (b"\xfd7zXZ", "an xz file: unpack it first"),
    (b"\x89HDF", "an HDF5 file: write it as CSV first"),
    (b"SQLite format 3\0", "an SQLite database: export the table as CSV first"),
    (b"\x89PNG", "a PNG image: write the pixels of all images as rows of CSV first"),
    (b"\xff\xd8\xff", "a JPEG image: write the pixels of all images as rows of CSV first"),
    (b"%PDF", "a PDF file: export the table as CSV first"),
    *((bytes([0x80, version]), PICKLE) for version in range(2, 6)),
    (b"\xff\xfe", "text in UTF-16: save it in UTF-8"),
    (b"\xfe\xff", "text in UTF-16: save it in UTF-8"),
    (b"{", "JSON: write it as CSV first, as with spark.read.json(...).write.csv(...)"),
    (b"[", "JSON: write it as CSV first"),
    (b"<", "HTML or XML: export the table as CSV first"),
    (b"@relation", "an ARFF file: save it as CSV first"),
    (b"@RELATION", "an ARFF file: save it as CSV first"),
)
LONGEST_START = max(len(start) for start, _ in FORMATS)
*_NAMES, _LAST = SEPARATORS.values()
ANY_SEPARATOR = f"{', '.join(_NAMES)} or {_LAST}"


def format_of(start: bytes) -> str | None:
    """Return the name of the format with these first bytes and what to do about it, or None if it is unknown."""
    return next((text for begin, text in FORMATS if start.startswith(begin)), None)


def for_value(value: str, is_label: bool) -> str:
    """Return what to do about a field that is not a number, or an empty text; `is_label`: the file has only labels."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return "write values without quotes"
    if _PAIR.fullmatch(value):
        return "this looks like LibSVM (label index:value ...): write rows of all values first"
    if MISSING.fullmatch(value):
        return "a missing value: fill it in, or leave out the rows that have one"
    if NOT_FINITE.fullmatch(value):
        return "an infinite value: write a finite one, or leave out the rows that have one"
    if ";" in value or DECIMAL_COMMA.fullmatch(value):
        return "write decimal points, not commas"
    if _LOGICAL.fullmatch(value):
        return "write 1 for true and 0 for false"
    if _DATE.fullmatch(value):
        return "a date or a time: write it as numbers, or leave the column out"
    if value[:1].isalpha() or value[:1] == "_":
        labels = "labels are class numbers 0, 1, 2, ...: number the names"
        return labels if is_label else f"{labels}; write other names as numbers, or leave the column out"
    return ""


def for_label(value: float) -> str:
    """Return what to do about a number that is not a class number."""
    if value == -1:
        return "labels -1 and 1: write 0 and 1"
    if value != value // 1:
        return "measured values are learned with --task regression"
    return "number the classes 0, 1, 2, ..."
