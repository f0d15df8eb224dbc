"""What is wrong with a path that Hadoop cannot open: how it is written, or that Spark has no connector for it."""

from __future__ import annotations

import os
import re

from nn.core.errors import PlatformError, UsageError, UserError

_OUTPUT = "OUTPUT"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+")  # two characters at least: C: is a drive
_FULL = re.compile(r"///|/(?!/)")  # what follows file: in the URI of a full path
_WEB = ("http", "https")  # Hadoop's classes for these cannot list, nor tell a file's size
_NO_CONNECTOR = re.compile(r"ClassNotFoundException|NoClassDefFoundError|No FileSystem for scheme")
_COLON_IN_NAME = re.compile(r"Relative path in absolute URI: (\S+)")


def refuse_malformed(path: str, argument: str) -> None:
    """Raise UsageError for a path that Hadoop would take for another, PlatformError for a web page's."""
    scheme, rest = _split(path)
    if scheme in _WEB:
        verb, cure = (
            ("write to", "name a folder") if argument == _OUTPUT else ("read", "download the file first")
        )
        raise PlatformError(f"{argument}: Spark cannot {verb} {scheme}:// ({path}): {cure}")
    if scheme == "file":
        if not _FULL.match(rest):
            raise UsageError(f"{argument}: expected a path, or file:///full/path, found {path}")
    elif scheme is not None:
        if _SCHEME.fullmatch(scheme) and rest.startswith("/"):
            return  # the names on another file system follow its own rules
        cure = f"for a folder of that name write ./{path}" if argument == _OUTPUT else "rename the file"
        raise UsageError(
            f'{argument}: Spark takes "{scheme}" in {path} for the scheme of a file system; {cure}'
        )
    if argument != _OUTPUT and ":" in rest:
        raise _colon_in(path, argument)


def _split(path: str) -> tuple[str | None, str]:
    """The scheme, None where there is none, and what follows its colon: by Hadoop's rule no slash is before it."""
    scheme, colon, rest = path.partition(":")
    is_drive = os.name == "nt" and len(scheme) == 1
    return (scheme, rest) if colon and "/" not in scheme and not is_drive else (None, path)


def cannot_open(error: Exception, path: str, argument: str) -> UserError | None:
    """The line for an error of Hadoop's that comes from the path alone, else None."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return None
    message = f"{java.getClass().getName()}: {java.getMessage()}"
    if _NO_CONNECTOR.search(message):
        scheme = _split(path)[0] or "its file system"
        cure = (
            "name a folder of this machine" if argument == _OUTPUT else "copy the data to this machine first"
        )
        return PlatformError(
            f"{argument}: this Spark has no connector for {scheme}:// ({path}): add one with --packages or --jars, "
            f"or {cure}"
        )
    name = _COLON_IN_NAME.search(message)
    return _colon_in(name[1], argument) if name else None


def refuse_colons(path: str, argument: str) -> None:
    """Raise UsageError for a file of the local disk that Spark finds and cannot read."""
    scheme, rest = _split(path)
    if scheme == "file" and ":" in rest:
        raise _colon_in(path, argument)


def _colon_in(path: str, argument: str) -> UsageError:
    return UsageError(
        f"{argument}: expected names without a colon, which Spark cannot read, found {path}; rename the file or folder"
    )
