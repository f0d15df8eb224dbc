"""Read and write files on any file system of Hadoop's: HDFS, object stores and, for input, local disks.

A file appears whole or not at all. Where a file shows only when it is closed, as on object stores, it is created under
its own name. Elsewhere it is written under another name, flushed to the disks and renamed over the old one: at once on
HDFS, in two steps on others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from nn.core import files
from nn.core.errors import PlatformError, UserError
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import as_user_error, is_damage, reason_of
from nn.spark.storage.local import not_a_folder

# Hadoop's names for what a file system and an output stream can do. A file shows only when it is closed, and not if it
# is aborted; closing a new file fails where another has got its name; what is written can be flushed to the disks.
ABORTABLE = "fs.capability.outputstream.abortable"
CONDITIONAL = "fs.option.create.conditional.overwrite"
FLUSHED = "hsync"
# Schemes of object stores whose classes, or older versions of them, do not name ABORTABLE.
OBJECT_STORES = frozenset({"gs", "s3", "s3a", "s3n", "oss", "cosn", "obs"})
BYTES_PER_CALL = 4 << 20  # into Java: py4j sends bytes as text


class Hadoop:
    """The file systems that a Spark context is configured for. Its methods raise py4j's errors."""

    def __init__(self, context: Any):
        self._context = context
        self._configuration = jvm.hadoop_configuration(context)

    def locate(self, path: str) -> tuple[Any, Any]:
        """Return (Hadoop's FileSystem, Hadoop's Path) of a path."""
        hadoop_path = jvm.hadoop_path(self._context, path)
        return hadoop_path.getFileSystem(self._configuration), hadoop_path

    def local_path(self, path: str) -> str | None:
        """Return the path on the driver's disk, or None where it is on another file system."""
        file_system, hadoop_path = self.locate(path)
        if _scheme(file_system) != "file":
            return None
        return file_system.makeQualified(hadoop_path).toUri().getPath()

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a file's content, or None where there is no file.

        Raises ValueError for more than `limit` bytes, which are not read.
        """
        file_system, hadoop_path = self.locate(path)
        if not file_system.exists(hadoop_path):
            return None
        size = file_system.getFileStatus(hadoop_path).getLen()
        files.check_size(size, limit)
        stream = file_system.open(hadoop_path)
        try:
            counts = (min(BYTES_PER_CALL, size - start) for start in range(0, size, BYTES_PER_CALL))
            return b"".join(jvm.read_exactly(self._context, stream, count) for count in counts)
        finally:
            stream.close()

    @contextmanager
    def open(self, path: str) -> Iterator[Callable[[int], bytes]]:
        """Open a file, decompressed if its name says so. Yield a function that returns at most the next n bytes."""
        file_system, hadoop_path = self.locate(path)
        content = file_system.open(hadoop_path)
        try:
            content = jvm.decompressed(self._context, self._configuration, hadoop_path, content)
            yield partial(jvm.read_at_most, self._context, content)
        finally:
            content.close()

    def write(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all. The old one is removed when the new one is complete."""
        file_system, target = self.locate(path)
        if _shows_whole_files(file_system, target):
            _create(file_system, target, content)
            return
        scratch = jvm.hadoop_path(self._context, target.getParent(), f".{target.getName()}.part")
        _create(file_system, scratch, content)
        self._rename_over(scratch, target)

    def create(self, path: str, content: bytes) -> bool:
        """Write a file where there is none, and return whether it was written."""
        file_system, hadoop_path = self.locate(path)
        try:
            _create(file_system, hadoop_path, content, overwrite=False)
        except Exception:
            if file_system.exists(hadoop_path):
                return False
            raise
        return True

    def rewrite(self, path: str, content: bytes) -> None:
        """Write a file in its place, without a temporary name."""
        file_system, hadoop_path = self.locate(path)
        _create(file_system, hadoop_path, content)

    def _rename_over(self, scratch: Any, target: Any) -> None:
        # FileSystem.rename onto an existing file returns False and keeps the old one. FileContext's can overwrite: at
        # once on HDFS and viewfs over it; ABFS and others use Hadoop's default, which deletes first.
        try:
            file_context = jvm.file_context(self._context, self._configuration, target)
        except Exception as error:
            if "UnsupportedFileSystemException" not in str(error):
                raise
            # A file system with the older interface alone: for a moment there is neither the old nor the new file.
            file_system = target.getFileSystem(self._configuration)
            file_system.delete(target, False)
            if not file_system.rename(scratch, target):
                raise PlatformError(f"cannot write {target}: its file system renames nothing") from None
            return
        file_context.rename(scratch, target, jvm.overwrite_options(self._context))


class HadoopFolder:
    """A folder on a file system that only Hadoop's classes can reach, with the methods of LocalFolder."""

    is_local = False

    def __init__(self, hadoop: Hadoop, path: str):
        self.path = path.rstrip("/")
        self.before_change: Callable[[], None] = lambda: None  # called before each write and remove
        self._hadoop = hadoop

    def names(self, inside: str = "") -> list[str]:
        """Return the names in the folder, or in one inside it, sorted; none where there is no such folder."""
        with self._errors(f"cannot use {self.path} as OUTPUT"):
            file_system, hadoop_path = self._hadoop.locate(f"{self.path}/{inside}" if inside else self.path)
            if not file_system.exists(hadoop_path):
                return []
            if not file_system.getFileStatus(hadoop_path).isDirectory():
                raise not_a_folder(self.path, inside)
            return sorted(status.getPath().getName() for status in file_system.listStatus(hadoop_path))

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file's content, or None where there is no file.

        Raises ValueError for more than `limit` bytes, which are not read, and for bytes that do not match the checksums
        of the file system.
        """
        try:
            return self._hadoop.read(f"{self.path}/{name}", limit)
        except ValueError:
            raise
        except Exception as error:
            if is_damage(error):
                raise ValueError(f"its file system finds it damaged: {reason_of(error)}") from error
            raise as_user_error(error, PlatformError, f"cannot read {self.path}/{name}") from error

    def head(self, name: str, limit: int) -> bytes | None:
        """Return the first `limit` bytes of a file, or None where there is no file."""
        path = f"{self.path}/{name}"
        with self._errors(f"cannot read {path}"):
            file_system, hadoop_path = self._hadoop.locate(path)
            if not file_system.exists(hadoop_path):
                return None
            with self._hadoop.open(path) as read:
                return read(limit)

    def modified(self, name: str) -> float | None:
        """Return when a file was last written, in seconds by its file system's clock; None where there is no file."""
        with self._errors(f"cannot read {self.path}/{name}"):
            file_system, hadoop_path = self._hadoop.locate(f"{self.path}/{name}")
            if not file_system.exists(hadoop_path):
                return None
            return file_system.getFileStatus(hadoop_path).getModificationTime() / 1000

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. `name` may include a folder."""
        self.before_change()
        with self._errors(f"cannot write {self.path}/{name}"):
            self._hadoop.write(f"{self.path}/{name}", content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none, and return whether it was written.

        On object stores that know no conditions, two runs that do so at the same time may both succeed.
        """
        with self._errors(f"cannot write {self.path}/{name}"):
            return self._hadoop.create(f"{self.path}/{name}", content)

    def rewrite(self, name: str, content: bytes) -> None:
        """Write a file in its place, without a temporary name: a reader may find it empty for a moment."""
        with self._errors(f"cannot write {self.path}/{name}"):
            self._hadoop.rewrite(f"{self.path}/{name}", content)

    def remove(self, name: str) -> None:
        """Remove a file, or an empty folder, where there is one."""
        self.before_change()
        with self._errors(f"cannot remove {self.path}/{name}"):
            file_system, hadoop_path = self._hadoop.locate(f"{self.path}/{name}")
            if not file_system.exists(hadoop_path) or file_system.delete(hadoop_path, False):
                return
            if file_system.exists(hadoop_path):  # else it was removed, and the answer was lost
                raise PlatformError(f"cannot remove {self.path}/{name}: its file system keeps it")

    def check_writable(self) -> None:
        """Do nothing: before the first write to a remote service, nothing is known."""

    def missing(self) -> list[str]:
        """Return the folder and those above it that do not exist, the innermost first."""
        with self._errors(f"cannot use {self.path} as OUTPUT"):
            file_system, hadoop_path = self._hadoop.locate(self.path)
            paths = []
            while hadoop_path is not None and not file_system.exists(hadoop_path):
                paths.append(hadoop_path.toString())
                hadoop_path = hadoop_path.getParent()
            return paths

    def drop(self, paths: list[str]) -> None:
        """Remove the folders that `missing` returned, where they are empty."""
        for path in paths:
            with suppress(Exception):
                file_system, hadoop_path = self._hadoop.locate(path)
                file_system.delete(hadoop_path, False)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Raise py4j's errors as PlatformErrors that say what could not be done."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            raise as_user_error(error, PlatformError, what) from error


def _create(file_system: Any, hadoop_path: Any, content: bytes, overwrite: bool = True) -> None:
    """Write a file from its first byte to its last; where that is cut short, without closing it on an object store."""
    is_whole = _shows_whole_files(file_system, hadoop_path)
    stream = file_system.create(hadoop_path, True) if overwrite else _open_new(file_system, hadoop_path)
    try:
        for start in range(0, len(content), BYTES_PER_CALL):
            stream.write(bytearray(content[start : start + BYTES_PER_CALL]))
        if not is_whole and stream.hasCapability(FLUSHED):
            stream.hsync()  # else a machine that loses its power may lose a file that was renamed already
        stream.close()
    # Ctrl-C too: if the stream were closed, an incomplete file would show under its name.
    except BaseException:
        with suppress(Exception):
            stream.abort() if is_whole else stream.close()
        if not is_whole and not overwrite:  # it shows already, and would be taken for another run's
            with suppress(Exception):
                file_system.delete(hadoop_path, False)
        raise


def _open_new(file_system: Any, hadoop_path: Any) -> Any:
    """Open a file that must not exist yet: neither now nor, where its store can tell, when it is closed."""
    if not file_system.hasPathCapability(hadoop_path, CONDITIONAL):
        return file_system.create(hadoop_path, False)
    builder = file_system.createFile(hadoop_path).recursive().overwrite(False)
    return builder.opt(CONDITIONAL, True).build()


def _shows_whole_files(file_system: Any, hadoop_path: Any) -> bool:
    """Return whether a file shows only when it is closed; a rename copies it there, so none is needed."""
    return file_system.hasPathCapability(hadoop_path, ABORTABLE) or _scheme(file_system) in OBJECT_STORES


def _scheme(file_system: Any) -> str:
    return file_system.getUri().getScheme()
