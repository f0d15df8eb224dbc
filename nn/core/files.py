"""Read and write a file on a local disk: read no further than asked, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress


def read(path: str | os.PathLike, most: int) -> bytes:
    """A file's content; ValueError for more than `most` bytes, for which no memory is taken."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        refuse_more(size, most)
        content = file.read(min(size, most) + 1)
        if len(content) > size:  # it grows, or it is a pipe, whose size is not known before
            content += file.read(most + 1 - len(content))
    refuse_more(len(content), most)
    return content


def refuse_more(size: int, most: int) -> None:
    """Raise ValueError for a file of more than `most` bytes."""
    if size > most:
        raise ValueError(f"expected at most {most:,} bytes, found {size:,}")


def write(path: str | os.PathLike, content: bytes) -> None:
    """Write a file under another name beside it, flush it to the disk, and rename it over what is there.

    An OSError names `path`, not the other name.
    """
    target = os.fspath(path)
    folder, name = os.path.split(os.path.abspath(target))
    scratch = os.path.join(folder, f".{name}.part")
    try:
        with suppress(FileNotFoundError):
            os.remove(scratch)  # of a write that was cut short; never followed, where it is a link
        with open(scratch, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
        _flush_folder(folder)
    except BaseException as error:  # Ctrl-C too leaves nothing half-written
        with suppress(OSError):
            os.remove(scratch)
        if isinstance(error, OSError):
            error.filename, error.filename2 = target, None
        raise


def _flush_folder(path: str) -> None:
    """Have the disk know the names in a folder, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
