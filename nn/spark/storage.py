"""List, read and write files wherever Spark can: local disks by the operating system, all else through Hadoop.

A file appears whole or not at all: on a local disk it is written under a temporary name, flushed to the disk
and renamed; elsewhere it is created once, whole, and renamed over the old one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from nn.errors import DataError, EnvironmentFault, MissingFile, UsageError, UserError

# A create on these shows the object only when it is complete, and a rename copies it: no temporary name there.
OBJECT_STORES = frozenset({"gs", "s3", "s3a", "s3n", "abfs", "abfss", "wasb", "wasbs", "oss", "cosn", "obs"})


class File(NamedTuple):
    """One input file: a full path as Hadoop writes it, and its bytes."""

    path: str
    size: int


class Storage:
    """The file systems of a Spark context, and the folders and files on them."""

    def __init__(self, context):
        self._jvm = context._jvm
        self._gateway = context._gateway
        self._configuration = context._jsc.hadoopConfiguration()

    def list_files(self, path: str, argument: str) -> list[File]:
        """The files behind a path, a folder of part files or a glob, sorted by path.

        Names that start with _ or . are left out, as Hadoop does. Raises DataError, naming the argument,
        where there is none.
        """
        if not path or "," in path:
            raise DataError(f"{argument}: expected one path without commas, found {path!r}")
        try:
            file_system, place = self._at(path)
            statuses = self._statuses(file_system, place)
            if statuses is None:
                raise MissingFile(f"{argument}: no such file or folder: {path}")
            files = []
            for status in statuses:
                inside = file_system.listStatus(status.getPath()) if status.isDirectory() else [status]
                files += [File(s.getPath().toString(), s.getLen()) for s in inside if _is_data(s)]
        except Exception as error:
            raise _translated(error, DataError, f"{argument}: cannot list {path}") from None
        if not files:
            raise DataError(f"{argument}: no files in {path}; names that start with _ or . do not count")
        commas = [file.path for file in files if "," in file.path]
        if commas:
            raise DataError(f"{argument}: expected file names without commas, found {commas[0]}")
        return sorted(files)

    def _statuses(self, file_system, place) -> list | None:
        if file_system.exists(place):
            return [file_system.getFileStatus(place)]
        found = file_system.globStatus(place)
        return list(found) if found else None

    def read(self, path: str) -> bytes | None:
        """A small file's content, or None where there is none."""
        local = local_path(path, self)
        if local is not None:
            try:
                with open(local, "rb") as file:
                    return file.read()
            except FileNotFoundError:
                return None
        file_system, place = self._at(path)
        if not file_system.exists(place):
            return None
        stream = file_system.open(place)
        try:
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def folder(self, path: str) -> Folder:
        """The folder at a path, which need not exist yet."""
        local = local_path(path, self)
        return LocalFolder(local) if local is not None else HadoopFolder(self, path)

    def _at(self, path: str):
        place = self._jvm.org.apache.hadoop.fs.Path(path)
        return place.getFileSystem(self._configuration), place


def local_path(path: str, storage: Storage) -> str | None:
    """The path on the driver's disk, or None where it lies on another file system."""
    try:
        file_system, place = storage._at(path)
        if file_system.getUri().getScheme() != "file":
            return None
        return file_system.makeQualified(place).toUri().getPath()
    except Exception as error:
        raise _translated(error, UsageError, f"cannot use the path {path!r}") from None


class LocalFolder:
    """A folder on the driver's disk."""

    is_local = True

    def __init__(self, path: str):
        self.path = path

    def names(self, inside: str = "") -> list[str]:
        """What lies in the folder, or in one inside it; nothing where there is no such folder."""
        try:
            return sorted(os.listdir(os.path.join(self.path, inside)))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            if inside:
                return []
            raise EnvironmentFault(f"cannot use {self.path} as OUTPUT: it is a file") from None
        except OSError as error:
            raise EnvironmentFault(f"cannot use {self.path} as OUTPUT: {error.strerror}") from None

    def check_writable(self) -> None:
        """Raise EnvironmentFault where nothing could be written, as far as the rights tell; nothing is made."""
        place = os.path.abspath(self.path)
        while not os.path.lexists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK):
            raise EnvironmentFault(f"cannot use {self.path} as OUTPUT: {place} cannot be written to")

    def read(self, name: str) -> bytes | None:
        """A file's content, or None where there is none."""
        target = os.path.join(self.path, name)
        try:
            with open(target, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnvironmentFault(f"cannot read {target}: {error.strerror}") from None

    def write(self, name: str, content: bytes) -> None:
        """Write `name`, which may hold a folder, whole or not at all."""
        target = os.path.join(self.path, name)
        scratch = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.part")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(scratch, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, target)
            _flush_folder(os.path.dirname(target))
        except BaseException as error:  # Ctrl-C too leaves nothing half-written
            with suppress(OSError):
                os.remove(scratch)
            if isinstance(error, OSError):
                raise EnvironmentFault(f"cannot write {target}: {error.strerror}") from None
            raise

    def remove(self, name: str) -> None:
        """Remove a file, or an empty folder, where there is one."""
        target = os.path.join(self.path, name)
        try:
            if os.path.isdir(target) and not os.path.islink(target):
                os.rmdir(target)
            elif os.path.lexists(target):
                os.remove(target)
        except OSError as error:
            raise EnvironmentFault(f"cannot remove {target}: {error.strerror}") from None


class HadoopFolder:
    """A folder on a file system that only Spark's Hadoop classes reach."""

    is_local = False

    def __init__(self, storage: Storage, path: str):
        self.path = path.rstrip("/")
        self._storage = storage

    def names(self, inside: str = "") -> list[str]:
        """What lies in the folder, or in one inside it; nothing where there is no such folder."""
        try:
            file_system, place = self._storage._at(f"{self.path}/{inside}" if inside else self.path)
            if not file_system.exists(place) or (
                inside and not file_system.getFileStatus(place).isDirectory()
            ):
                return []
            return sorted(status.getPath().getName() for status in file_system.listStatus(place))
        except Exception as error:
            raise _translated(error, EnvironmentFault, f"cannot use {self.path} as OUTPUT") from None

    def read(self, name: str) -> bytes | None:
        """A file's content, or None where there is none."""
        try:
            return self._storage.read(f"{self.path}/{name}")
        except Exception as error:
            raise _translated(error, EnvironmentFault, f"cannot read {self.path}/{name}") from None

    def write(self, name: str, content: bytes) -> None:
        """Write `name`, whole or not at all; a reader sees the old content until the new is complete."""
        try:
            file_system, target = self._storage._at(f"{self.path}/{name}")
            if file_system.getUri().getScheme() in OBJECT_STORES:
                self._create(file_system, target, content)
                return
            path_class = self._storage._jvm.org.apache.hadoop.fs.Path
            scratch = path_class(target.getParent(), f".{target.getName()}.part")
            self._create(file_system, scratch, content)
            self._rename_over(scratch, target)
        except Exception as error:
            raise _translated(error, EnvironmentFault, f"cannot write {self.path}/{name}") from None

    def _create(self, file_system, place, content: bytes) -> None:
        stream = file_system.create(place, True)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def _rename_over(self, scratch, target) -> None:
        # FileSystem.rename onto an existing file returns False and keeps the old; FileContext's can overwrite.
        jvm, configuration = self._storage._jvm, self._storage._configuration
        rename = getattr(jvm.org.apache.hadoop.fs, "Options$Rename")
        options = self._storage._gateway.new_array(rename, 1)
        options[0] = rename.OVERWRITE
        context = jvm.org.apache.hadoop.fs.FileContext.getFileContext(target.toUri(), configuration)
        context.rename(scratch, target, options)

    def check_writable(self) -> None:
        """Nothing is known before the first write to a far service."""

    def remove(self, name: str) -> None:
        """Remove a file, or an empty folder, where there is one."""
        try:
            file_system, place = self._storage._at(f"{self.path}/{name}")
            if file_system.exists(place):
                file_system.delete(place, False)
        except Exception as error:
            raise _translated(error, EnvironmentFault, f"cannot remove {self.path}/{name}") from None


Folder = LocalFolder | HadoopFolder


def _flush_folder(path: str) -> None:
    """Have the disk know the names in a folder, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_data(status) -> bool:
    return not status.isDirectory() and not status.getPath().getName().startswith(("_", "."))


def _translated(error: Exception, kind: type[UserError], what: str) -> UserError:
    """A Java exception as one line of ours; what is already ours stays as it is."""
    if isinstance(error, UserError):
        return error
    java = getattr(error, "java_exception", None)
    reason = java.getMessage() if java is not None else str(error)
    return kind(f"{what}: {(reason or type(error).__name__).splitlines()[0]}")
