"""Recognize the format of a file from its first bytes, its first line and its name."""

from __future__ import annotations

import re

from nn.training.run_options import FORMATS

AUTO, TEXT, CSV, PARQUET, ORC, JSON, AVRO, LIBSVM, TABLE = FORMATS
STARTS = ((b"PAR1", PARQUET), (b"ORC", ORC), (b"Obj\x01", AVRO))
_LIBSVM = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?(\s+\d+:[+-]?[\d.]+(e[+-]?\d+)?)+\s*(#.*)?", re.IGNORECASE)
READ_AS_CSV = "read with Spark's reader of CSV instead"
_LONGEST = 1 << 16  # characters of a first line that is looked at


def format_of(path: str, start: bytes) -> str:
    """Return the format of a file with these first bytes: TEXT where it is none of the others."""
    for begin, name in STARTS:
        if start.startswith(begin) and (name != ORC or not start[3:4].isalnum()):
            return name
    line = start.partition(b"\n")[0].decode("utf-8", errors="replace").strip()
    if line.startswith("{"):
        return JSON
    if _LIBSVM.fullmatch(line[:_LONGEST].rpartition(" ")[0] if len(line) > _LONGEST else line):
        return LIBSVM
    if not start:  # the driver cannot read it, or it is empty
        return next((name for name in (PARQUET, ORC, AVRO, JSON) if path.endswith("." + name)), TEXT)
    return TEXT
