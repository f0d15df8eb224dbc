"""List, read and write files wherever Spark can: on local disks by the operating system, elsewhere through Hadoop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from nn.core.errors import DataError, MissingFileError, UsageError
from nn.spark.runtime.errors import as_user_error
from nn.spark.storage.hadoop import Hadoop, HadoopFolder
from nn.spark.storage.local import LocalFolder, read_local
from nn.spark.storage.paths import refuse_colons

Folder = LocalFolder | HadoopFolder


class File(NamedTuple):
    """One input file: its full path as Hadoop writes it, and its size in bytes."""

    path: str
    size: int


class Storage:
    """The file systems of a Spark context, with their folders and files."""

    def __init__(self, context: Any):
        self._hadoop = Hadoop(context)

    def list_files(self, path: str, argument: str) -> tuple[list[File], list[str]]:
        """Return the files of a path, a folder of part files or a glob, sorted by path, and notes for the user.

        Names that start with _ or . are left out, as Hadoop does, also those of folders that a glob matches. Raises
        DataError, naming the argument, where there is no file.
        """
        if not path or "," in path:
            raise DataError(f"{argument}: expected one path without commas, found {path!r}")
        files, folders = self._files_and_folders(path, argument)
        count = f"{len(folders)} folder{'s' if len(folders) > 1 else ''}"
        names = ", ".join(sorted(folders)[:3]) + (", ..." if len(folders) > 3 else "")
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

    def list_tree(self, path: str, argument: str) -> tuple[list[File], str]:
        """Return the files of a path, also those in folders named key=value below it, and the folder above these.

        The folder is empty where there are none. Raises DataError, naming the argument, where there is no file.
        """
        files, folders = self._files_and_folders(path, argument)
        levels = [f"{path.rstrip('/')}/{name}" for name in folders if _is_partition(name)]
        if files or not levels:
            return self.list_files(path, argument)[0], ""
        while levels:
            level = levels.pop()
            found, below = self._files_and_folders(level, argument)
            files += found
            levels += [f"{level}/{name}" for name in below if _is_partition(name)]
        if not files:
            raise DataError(f"{argument}: no files in {path} or its folders")
        return sorted(set(files)), path

    def _files_and_folders(self, path: str, argument: str) -> tuple[list[File], list[str]]:
        """Return the files that a path stands for, and the names of the folders beside them."""
        files, folders = [], []
        try:
            file_system, hadoop_path = self._hadoop.locate(path)
        except Exception as error:
            what = f"{argument}: cannot use {path!r}"
            raise as_user_error(error, DataError, what, path, argument) from error
        try:
            if file_system.exists(hadoop_path):
                statuses = [file_system.getFileStatus(hadoop_path)]
            else:
                statuses = file_system.globStatus(hadoop_path)
            if not statuses:
                raise MissingFileError(f"{argument}: no such file or folder: {path}")
            given = file_system.makeQualified(hadoop_path).toString().split("/")
            for status in statuses:
                matched = set(status.getPath().toString().split("/")).difference(given)
                if any(map(_is_hidden, matched)):
                    continue
                entries = file_system.listStatus(status.getPath()) if status.isDirectory() else [status]
                for entry in entries:
                    name = entry.getPath().getName()
                    if entry.isDirectory():
                        folders += [] if _is_hidden(name) else [name]
                    elif not name.startswith(("_", ".")):
                        files.append(File(entry.getPath().toString(), entry.getLen()))
        except Exception as error:
            what = f"{argument}: cannot list {path}"
            raise as_user_error(error, DataError, what, path, argument) from error
        return files, folders

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a file's content, or None where there is no file.

        Raises ValueError for more than `limit` bytes, which are not read.
        """
        local = self._hadoop.local_path(path)
        return self._hadoop.read(path, limit) if local is None else read_local(local, limit)

    def open(self, path: str) -> AbstractContextManager[Callable[[int], bytes]]:
        """Open a file, decompressed if its name says so. Yield a function that returns at most the next n bytes."""
        return self._hadoop.open(path)

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder with all that is in it, if it exists."""
        file_system, hadoop_path = self._hadoop.locate(path)
        file_system.delete(hadoop_path, True)

    def folder(self, path: str) -> Folder:
        """Return the folder at OUTPUT's path, which need not exist yet. Raises UsageError for an invalid path."""
        try:
            local = self._hadoop.local_path(path)
        except Exception as error:
            what = f"OUTPUT: cannot use {path!r}"
            raise as_user_error(error, UsageError, what, path, "OUTPUT") from error
        return HadoopFolder(self._hadoop, path) if local is None else LocalFolder(local)


def _is_hidden(name: str) -> bool:
    """Return whether a folder's name is one that Spark leaves out."""
    return name.startswith(("_", ".")) and not (name[0] == "_" and _is_partition(name))


def _is_partition(name: str) -> bool:
    """Return whether a folder's name is key=value, which gives a column of a table."""
    return "=" in name[1:]


def local_path(path: str, storage: Storage) -> str | None:
    """Return the path on the driver's disk, or None where it is on another file system."""
    return storage._hadoop.local_path(path)
