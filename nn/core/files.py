"""Read local files up to a size limit, and write them atomically."""

from __future__ import annotations

import os
from contextlib import suppress


def read(path: str | os.PathLike, max_bytes: int) -> bytes:
    """Read a file. Raises ValueError, before it takes the memory, if the file has more than `max_bytes` bytes."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        check_size(size, max_bytes)
        content = file.read(min(size, max_bytes) + 1)
        if len(content) > size:  # the file grows, or it is a pipe, whose size is not known in advance
            content += file.read(max_bytes + 1 - len(content))
    check_size(len(content), max_bytes)
    return content


def check_size(size: int, max_bytes: int) -> None:
    """Raise ValueError if a file has more than `max_bytes` bytes."""
    if size > max_bytes:
        raise ValueError(f"expected at most {max_bytes:,} bytes, found {size:,}")


def write(path: str | os.PathLike, content: bytes) -> None:
    """Replace a file atomically: write a temporary file beside it, flush it to the disk, and rename it.

    The name of the temporary file is `.NAME.part`. An OSError names `path`, not the temporary file.
    """
    target = os.fspath(path)
    folder, name = os.path.split(os.path.abspath(target))
    temporary = os.path.join(folder, f".{name}.part")
    try:
        with suppress(FileNotFoundError):
            os.remove(temporary)  # left by an interrupted write; a link is removed, not followed
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _flush_folder(folder)
    except BaseException as error:  # Ctrl-C included
        with suppress(OSError):
            os.remove(temporary)
        if isinstance(error, OSError):
            error.filename, error.filename2 = target, None
        raise


def _flush_folder(path: str) -> None:
    """Flush the entries of a folder to the disk, if the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
