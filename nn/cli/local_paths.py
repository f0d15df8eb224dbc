"""Paths on this machine: which are local, which exist, which lie inside another, and the files that one names."""

from __future__ import annotations

import glob
import os
import re

from nn.spark.input.text_source import COMPRESSED

_HADOOP = ("{", "[^", "\\")  # in globs of Hadoop, and not in those of Python


def local_path(path: str) -> str | None:
    """Return a path as the operating system takes it; None if its scheme names another file system."""
    scheme = re.match("[A-Za-z][A-Za-z0-9+.-]*(?=:/)", path)
    if scheme is None or scheme[0] == "file":
        return re.sub("^file:(//)?(?=/)", "", path)
    return None


def is_inside(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it, however both are spelled."""
    return (_resolved(path) + "/").startswith(_resolved(folder).rstrip("/") + "/")


def _resolved(path: str) -> str:
    """Return a path as it can be compared with others."""
    local = local_path(path)
    return path.rstrip("/") if local is None else os.path.realpath(local)


def is_local(path: str) -> bool:
    """Return whether a path is on this machine; one without a scheme may not be, if Hadoop has settings."""
    has_no_scheme = local_path(path) == path
    has_settings = any(os.environ.get(name) for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"))
    return local_path(path) is not None and not (has_no_scheme and has_settings)


def exists(path: str) -> bool:
    """Return whether a local path or glob exists; assume so for globs that only Hadoop reads."""
    return any(mark in path for mark in _HADOOP) or os.path.exists(path) or bool(glob.glob(path))


def local_files(path: str) -> list[str]:
    """Return the plain text files of a local path, folder or glob, sorted.

    Return none if it is not local, if a file is compressed, and for a glob that Hadoop reads otherwise, as one that
    matches folders: Hadoop reads their files.
    """
    local = local_path(path)
    if local is None:
        return []
    is_folder = os.path.isdir(local)
    if not is_folder and any(mark in local for mark in _HADOOP):
        return []
    paths = sorted(glob.glob(os.path.join(glob.escape(local), "*") if is_folder else local))
    paths = [path for path in paths if not os.path.basename(path).startswith((".", "_"))]
    files = [path for path in paths if os.path.isfile(path)]
    is_other = any(path.endswith(COMPRESSED) for path in files) or (not is_folder and len(files) < len(paths))
    return [] if is_other else files
