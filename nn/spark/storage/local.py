"""A folder on the driver's disk, with the methods of the folders on other file systems (filesystem.py)."""

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
        """What lies in the folder, or in one inside it; nothing where there is no such folder."""
        try:
            return sorted(os.listdir(os.path.join(self.path, inside)))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise no_folder(self.path, inside) from None
        except OSError as error:
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {error.strerror}") from error

    def check_writable(self) -> None:
        """Raise PlatformError where nothing could be written, as far as the rights tell; nothing is made."""
        place = os.path.abspath(self.path)
        while not os.path.lexists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place):
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {place} is no folder")
        if not os.access(place, os.W_OK | os.X_OK):
            raise PlatformError(f"cannot use {self.path} as OUTPUT: {place} cannot be written to")

    def read(self, name: str, most: int) -> bytes | None:
        """A file's content, or None where there is none; ValueError for more than `most` bytes, which are not read."""
        target = os.path.join(self.path, name)
        try:
            return read_local(target, most)
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def head(self, name: str, most: int) -> bytes | None:
        """The first bytes of a file, at most so many, or None where there is none."""
        target = os.path.join(self.path, name)
        try:
            with open(target, "rb") as file:
                return file.read(most)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def modified(self, name: str) -> float | None:
        """When a file was last written, in seconds by the clock of its file system; None where there is none."""
        target = os.path.join(self.path, name)
        try:
            return os.stat(target).st_mtime
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlatformError(f"cannot read {target}: {error.strerror}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write `name`, which may hold a folder, whole or not at all."""
        self.before_change()
        target = os.path.join(self.path, name)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            files.write(target, content)
        except OSError as error:
            raise PlatformError(f"cannot write {target}: {error.strerror}") from error

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none; whether it was written. Of two that do so at once, one succeeds."""
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
        except BaseException:  # Ctrl-C too leaves no file that says nothing
            with suppress(OSError):
                os.remove(target)
            raise

    def rewrite(self, name: str, content: bytes) -> None:
        """Write a file in its place, with no second name: a reader may meet it half-written for a moment."""
        target = os.path.join(self.path, name)
        try:
            with open(target, "r+b") as file:
                file.write(content)
                file.truncate()
        except OSError as error:
            raise PlatformError(f"cannot write {target}: {error.strerror}") from error

    def missing(self) -> list[str]:
        """The folder and those above it that do not exist, the innermost first."""
        found, place = [], os.path.abspath(self.path)
        while not os.path.lexists(place):
            found.append(place)
            place = os.path.dirname(place)
        return found

    def drop(self, places: list[str]) -> None:
        """Remove the folders that `missing` named, where they are empty."""
        for place in places:
            with suppress(OSError):
                os.rmdir(place)

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


def read_local(path: str, most: int) -> bytes | None:
    """A local file's content, or None where there is none; ValueError for more than `most` bytes."""
    try:
        return files.read(path, most)
    except FileNotFoundError:
        return None


def no_folder(path: str, inside: str) -> UserError:
    """What to raise where a file lies in the place of a folder."""
    if inside:
        return UsageError(f"OUTPUT: expected a folder {inside} in {path}, found a file")
    return PlatformError(f"cannot use {path} as OUTPUT: it is a file")
