"""Read and write files in a folder on the driver's disk, with the methods of HadoopFolder (hadoop.py)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from nn.core import files
from nn.core.errors import PlatformError, UsageError, UserError


class LocalFolder:
    """A folder on the driver's disk."""

    is_local = True

    def __init__(self, path: str):
        self.path = path
        self.before_change: Callable[[], None] = lambda: None  # called before each write and remove

    def names(self, inside: str = "") -> list[str]:
        """Return the names in the folder, or in one inside it, sorted; none where there is no such folder."""
        try:
            return sorted(os.listdir(os.path.join(self.path, inside)))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise not_a_folder(self.path, inside) from None
        except OSError as error:
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {error.strerror}") from error

    def check_writable(self) -> None:
        """Raise PlatformError where the permissions do not allow writing. Nothing is created."""
        path = os.path.abspath(self.path)
        while not os.path.lexists(path):
            path = os.path.dirname(path)
        if not os.path.isdir(path):
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {path} is no folder")
        if not os.access(path, os.W_OK | os.X_OK):
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {path} cannot be written to")

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file's content, or None where there is no file.

        Raises ValueError for more than `limit` bytes, which are not read.
        """
        target = os.path.join(self.path, name)
        try:
            return read_local(target, limit)
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def head(self, name: str, limit: int) -> bytes | None:
        """Return the first `limit` bytes of a file, or None where there is no file."""
        target = os.path.join(self.path, name)
        try:
            with open(target, "rb") as file:
                return file.read(limit)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def modified(self, name: str) -> float | None:
        """Return when a file was last written, in seconds by its file system's clock; None where there is no file."""
        target = os.path.join(self.path, name)
        try:
            return os.stat(target).st_mtime
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. `name` may include a folder."""
        self.before_change()
        target = os.path.join(self.path, name)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            files.write(target, content)
        except OSError as error:
            raise PlatformError(f"cannot write {target}: {error.strerror}") from error

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none, and return whether it was written. Of two runs at once, one succeeds."""
        target = os.path.join(self.path, name)
        try:
            os.makedirs(self.path, exist_ok=True)
            with open(target, "xb") as file:
                self._fill(file, target, content)
        except FileExistsError:
            return False
        except OSError as error:
            raise PlatformError(f"cannot write {target}: {error.strerror}") from error
        return True

    def _fill(self, file, target: str, content: bytes) -> None:
        try:
            file.write(content)
            file.flush()
        except BaseException:  # Ctrl-C too: no empty file may stay
            with suppress(OSError):
                os.remove(target)
            raise

    def rewrite(self, name: str, content: bytes) -> None:
        """Write a file in its place, without a temporary name: a reader may find it half-written for a moment."""
        target = os.path.join(self.path, name)
        try:
            with open(target, "r+b") as file:
                file.write(content)
                file.truncate()
        except OSError as error:
            raise PlatformError(f"cannot write {target}: {error.strerror}") from error

    def missing(self) -> list[str]:
        """Return the folder and those above it that do not exist, the innermost first."""
        paths, path = [], os.path.abspath(self.path)
        while not os.path.lexists(path):
            paths.append(path)
            path = os.path.dirname(path)
        return paths

    def drop(self, paths: list[str]) -> None:
        """Remove the folders that `missing` returned, where they are empty."""
        for path in paths:
            with suppress(OSError):
                os.rmdir(path)

    def remove(self, name: str) -> None:
        """Remove a file, or an empty folder, where there is one."""
        self.before_change()
        target = os.path.join(self.path, name)
        try:
            if os.path.isdir(target) and not os.path.islink(target):
                os.rmdir(target)
            elif os.path.lexists(target):
                os.remove(target)
        except OSError as error:
            raise PlatformError(f"cannot remove {target}: {error.strerror}") from error


def read_local(path: str, limit: int) -> bytes | None:
    """Return a local file's content, or None where there is no file. Raises ValueError for more than `limit` bytes."""
    try:
        return files.read(path, limit)
    except FileNotFoundError:
        return None


def not_a_folder(path: str, inside: str) -> UserError:
    """Return the error for a file where a folder is expected."""
    if inside:
        return UsageError(f"OUTPUT: expected a folder {inside} in {path}, found a file")
    return PlatformError(f"cannot use {path} as OUTPUT: it is a file")
