"""List, read and write files wherever Spark can: local disks by the operating system, all else through Hadoop.

A file appears whole or not at all: it is written under another name and renamed over the old one, which HDFS and
local disks do at once and others in two steps; on object stores it is created whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from nn.core import files
from nn.core.errors import DataError, MissingFileError, PlatformError, UsageError, UserError
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import as_user_error, is_damage, reason_of
from nn.spark.storage.local import LocalFolder, no_folder, read_local
from nn.spark.storage.paths import refuse_colons

# What is created on these shows only when it is closed, and a rename copies it: no temporary name there.
OBJECT_STORES = frozenset({"gs", "s3", "s3a", "s3n", "oss", "cosn", "obs"})
SLICE = 4 << 20  # bytes that go through Python's bridge to Java at a time, which makes a text of them


class File(NamedTuple):
    """One input file: a full path as Hadoop writes it, and its bytes."""

    path: str
    size: int


class Storage:
    """The file systems of a Spark context, and the folders and files on them."""

    def __init__(self, context):
        self._context = context
        self._configuration = jvm.hadoop_configuration(context)

    def list_files(self, path: str, argument: str) -> tuple[list[File], list[str]]:
        """Return the files behind a path, a folder of part files or a glob, sorted by path, and notes for the user.

        Names that start with _ or . are left out, as Hadoop does. Raises DataError, naming the argument,
        where there is none.
        """
        if not path or "," in path:
            raise DataError(f"{argument}: expected one path without commas, found {path!r}")
        file_system, place = self._place_of(path, argument, DataError)
        try:
            statuses = self._statuses(file_system, place)
            if statuses is None:
                raise MissingFileError(f"{argument}: no such file or folder: {path}")
            files, folders = [], []
            for status in statuses:
                inside = file_system.listStatus(status.getPath()) if status.isDirectory() else [status]
                shown = [each for each in inside if not each.getPath().getName().startswith(("_", "."))]
                files += [File(s.getPath().toString(), s.getLen()) for s in shown if not s.isDirectory()]
                folders += [s.getPath().getName() for s in shown if s.isDirectory()]
        except Exception as error:
            raise as_user_error(
                error, DataError, f"{argument}: cannot list {path}", path, argument
            ) from error
        count = f"{len(folders)} folder{'s' if len(folders) > 1 else ''}"
        names = _few(sorted(folders))
        below = f"{path.rstrip('/')}/*"
        if not files and folders:
            raise DataError(f"{argument}: no files in {path} itself, {count} ({names}): {below} reads theirs")
        if not files:
            raise DataError(f"{argument}: no files in {path}; names that start with _ or . do not count")
        commas = [file.path for file in files if "," in file.path]
        if commas:
            raise DataError(f"{argument}: expected file names without commas, found {commas[0]}")
        for file in files:
            refuse_colons(file.path, argument)
        notes = [f"{argument}: not read: {count} in {path} ({names}); {below} reads their files"]
        return sorted(files), notes if folders else []

    def _statuses(self, file_system, place) -> list | None:
        if file_system.exists(place):
            return [file_system.getFileStatus(place)]
        found = file_system.globStatus(place)
        return list(found) if found else None

    def read(self, path: str, most: int) -> bytes | None:
        """A file's content, or None where there is none; ValueError for more than `most` bytes, which are not read."""
        local = local_path(path, self)
        if local is not None:
            return read_local(local, most)
        file_system, place = self._at(path)
        if not file_system.exists(place):
            return None
        size = file_system.getFileStatus(place).getLen()
        files.refuse_more(size, most)
        stream = file_system.open(place)
        try:
            counts = (min(SLICE, size - start) for start in range(0, size, SLICE))
            return b"".join(jvm.read_exactly(self._context, stream, count) for count in counts)
        finally:
            stream.close()

    @contextmanager
    def open(self, path: str) -> Iterator[Callable[[int], bytes]]:
        """A function that reads on by at most so many bytes, unpacked where the name says that the file is packed."""
        file_system, place = self._at(path)
        stream = file_system.open(place)
        try:
            content = jvm.decompressed(self._context, self._configuration, place, stream)
            yield partial(jvm.read_at_most, self._context, content)
        finally:
            stream.close()

    def folder(self, path: str) -> Folder:
        """The folder at OUTPUT's path, which need not exist yet."""
        self._place_of(path, "OUTPUT", UsageError)
        local = local_path(path, self)
        return LocalFolder(local) if local is not None else HadoopFolder(self, path)

    def _place_of(self, path: str, argument: str, kind: type[UserError]):
        """The file system of an argument's path and its place there; an error of `kind` without one."""
        try:
            return self._at(path)
        except Exception as error:
            raise as_user_error(error, kind, f"{argument}: cannot use {path!r}", path, argument) from error

    def _at(self, path: str):
        place = jvm.hadoop_path(self._context, path)
        return place.getFileSystem(self._configuration), place


def local_path(path: str, storage: Storage) -> str | None:
    """The path on the driver's disk, or None where it lies on another file system."""
    file_system, place = storage._at(path)
    if file_system.getUri().getScheme() != "file":
        return None
    return file_system.makeQualified(place).toUri().getPath()


class HadoopFolder:
    """A folder on a file system that only Spark's Hadoop classes reach."""

    is_local = False

    def __init__(self, storage: Storage, path: str):
        self.path = path.rstrip("/")
        self.before_change: Callable[[], None] = lambda: None  # called before each write and remove
        self._storage = storage

    def names(self, inside: str = "") -> list[str]:
        """What lies in the folder, or in one inside it; nothing where there is no such folder."""
        try:
            file_system, place = self._storage._at(f"{self.path}/{inside}" if inside else self.path)
            if not file_system.exists(place):
                return []
            if not file_system.getFileStatus(place).isDirectory():
                raise no_folder(self.path, inside)
            return sorted(status.getPath().getName() for status in file_system.listStatus(place))
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot use {self.path} as OUTPUT") from error

    def read(self, name: str, most: int) -> bytes | None:
        """A file's content, or None where there is none.

        Raises ValueError for more than `most` bytes, which are not read, and for bytes that do not fit the checksums of
        the file system.
        """
        try:
            return self._storage.read(f"{self.path}/{name}", most)
        except ValueError:
            raise
        except Exception as error:
            if is_damage(error):
                raise ValueError(f"its file system finds it damaged: {reason_of(error)}") from error
            raise as_user_error(error, PlatformError, f"cannot read {self.path}/{name}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write `name`, whole or not at all; what is there goes when the new is complete (`_rename_over`)."""
        self.before_change()
        try:
            file_system, target = self._storage._at(f"{self.path}/{name}")
            if _is_object_store(file_system):
                self._create(file_system, target, content)
                return
            scratch = jvm.hadoop_path(self._storage._context, target.getParent(), f".{target.getName()}.part")
            self._create(file_system, scratch, content)
            self._rename_over(scratch, target)
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot write {self.path}/{name}") from error

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none; whether it was written.

        On object stores two that do so at the same time may both succeed.
        """
        try:
            file_system, place = self._storage._at(f"{self.path}/{name}")
            try:
                self._create(file_system, place, content, overwrite=False)
            except Exception:
                if file_system.exists(place):
                    return False
                raise
            return True
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot write {self.path}/{name}") from error

    def rewrite(self, name: str, content: bytes) -> None:
        """Write a file in its place, with no second name: a reader may meet it empty for a moment."""
        try:
            file_system, place = self._storage._at(f"{self.path}/{name}")
            self._create(file_system, place, content)
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot write {self.path}/{name}") from error

    def modified(self, name: str) -> float | None:
        """When a file was last written, in seconds by the clock of its file system; None where there is none."""
        try:
            file_system, place = self._storage._at(f"{self.path}/{name}")
            if not file_system.exists(place):
                return None
            return file_system.getFileStatus(place).getModificationTime() / 1000
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot read {self.path}/{name}") from error

    def head(self, name: str, most: int) -> bytes | None:
        """The first bytes of a file, at most so many, or None where there is none."""
        path = f"{self.path}/{name}"
        try:
            file_system, place = self._storage._at(path)
            if not file_system.exists(place):
                return None
            with self._storage.open(path) as read:
                return read(most)
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot read {path}") from error

    def _create(self, file_system, place, content: bytes, overwrite: bool = True) -> None:
        stream = file_system.create(place, overwrite)
        try:
            for at in range(0, len(content), SLICE):
                stream.write(bytearray(content[at : at + SLICE]))
        except BaseException:  # Ctrl-C too: closed, what is there so far would show under its final name
            with suppress(Exception):
                stream.abort() if _is_object_store(file_system) else stream.close()
            raise
        stream.close()

    def _rename_over(self, scratch, target) -> None:
        # FileSystem.rename onto an existing file returns False and keeps the old; FileContext's can overwrite: HDFS
        # and viewfs over it at once, ABFS and whatever else has Hadoop's own two steps by deleting before.
        context, configuration = self._storage._context, self._storage._configuration
        try:
            file_context = jvm.file_context(context, configuration, target)
        except Exception as error:
            if "UnsupportedFileSystemException" not in str(error):
                raise
            # A file system that knows the older interface alone: for a moment there is neither old nor new.
            file_system = target.getFileSystem(configuration)
            file_system.delete(target, False)
            if not file_system.rename(scratch, target):
                raise PlatformError(f"cannot write {target}: its file system renames nothing") from None
            return
        file_context.rename(scratch, target, jvm.overwrite_options(context))

    def check_writable(self) -> None:
        """Nothing is known before the first write to a far service."""

    def missing(self) -> list[str]:
        """The folder and those above it that do not exist, the innermost first."""
        try:
            file_system, place = self._storage._at(self.path)
            found = []
            while place is not None and not file_system.exists(place):
                found.append(place.toString())
                place = place.getParent()
            return found
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot use {self.path} as OUTPUT") from error

    def drop(self, places: list[str]) -> None:
        """Remove the folders that `missing` named, where they are empty."""
        for each in places:
            with suppress(Exception):
                file_system, place = self._storage._at(each)
                file_system.delete(place, False)

    def remove(self, name: str) -> None:
        """Remove a file, or an empty folder, where there is one."""
        self.before_change()
        try:
            file_system, place = self._storage._at(f"{self.path}/{name}")
            if file_system.exists(place) and not file_system.delete(place, False):
                raise PlatformError(f"cannot remove {self.path}/{name}: its file system keeps it")
        except Exception as error:
            raise as_user_error(error, PlatformError, f"cannot remove {self.path}/{name}") from error


Folder = LocalFolder | HadoopFolder


def _is_object_store(file_system) -> bool:
    return file_system.getUri().getScheme() in OBJECT_STORES


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
