"""Refuse paths that Hadoop would read as other paths, before Spark starts."""

from __future__ import annotations

import os
import re

from nn.core.errors import PlatformError, UsageError
from nn.spark.runtime.errors import colon_in_name

_OUTPUT = "OUTPUT"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+")  # two characters at least: C: is a drive
_FULL = re.compile(r"///|/(?!/)")  # after "file:" in the URI of a full path
_USER_AND_PASSWORD = re.compile(r"//[^/:]*:(?!\d+/).*@")  # a secret may hold a slash; a port is none
_WEB = ("http", "https")  # Hadoop's classes for these cannot list files or return sizes


def refuse_malformed(path: str, argument: str) -> None:
    """Raise UsageError for a path that Hadoop would read as another one, PlatformError for a web address."""
    scheme, rest = _split(path)
    _refuse_password(scheme, rest, argument)
    if scheme in _WEB:
        verb, advice = (
            ("write to", "name a folder") if argument == _OUTPUT else ("read", "download the file first")
        )
        raise PlatformError(f"{argument}: Spark cannot {verb} {scheme}:// ({path}): {advice}")
    if scheme == "file":
        if not _FULL.match(rest):
            raise UsageError(f"{argument}: expected a path, or file:///full/path, found {path}")
    elif scheme is not None:
        if _SCHEME.fullmatch(scheme) and rest.startswith("/"):
            return  # the names on another file system follow its own rules
        advice = f"for a folder of that name write ./{path}" if argument == _OUTPUT else "rename the file"
        raise UsageError(
            f'{argument}: Spark takes "{scheme}" in {path} for the scheme of a file system; {advice}'
        )
    if argument != _OUTPUT and ":" in rest:
        raise colon_in_name(path, argument)


def _refuse_password(scheme: str | None, rest: str, argument: str) -> None:
    """Raise UsageError, which does not repeat it, for a password in a path: paths are written to OUTPUT."""
    match = _USER_AND_PASSWORD.match(rest) if scheme else None
    if match:
        raise UsageError(
            f"{argument}: expected a path without a password, found one in {scheme}://...@{rest[match.end() :]}; "
            "give it in Spark's settings, such as spark.hadoop.fs.s3a.secret.key, in a file that you alone may read"
        )


def _split(path: str) -> tuple[str | None, str]:
    """Return (scheme or None, the rest). By Hadoop's rule, a scheme ends at a colon with no slash before it."""
    scheme, colon, rest = path.partition(":")
    is_drive = os.name == "nt" and len(scheme) == 1
    return (scheme, rest) if colon and "/" not in scheme and not is_drive else (None, path)


def refuse_colons(path: str, argument: str) -> None:
    """Raise UsageError for a file on a local disk that Spark can list but not read."""
    scheme, rest = _split(path)
    if scheme == "file" and ":" in rest:
        raise colon_in_name(path, argument)
