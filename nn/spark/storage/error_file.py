"""OUTPUT/_ERROR.json: why the last run in this folder ended early. It is no content: the next run removes it."""

from __future__ import annotations

from contextlib import suppress

from nn.core.errors import PlatformError
from nn.spark.storage.filesystem import Folder

NAME = "_ERROR.json"
BEGINNING = b'{"code": '


def write(folder: Folder, line: str) -> None:
    """Write the file. `line`: one line of JSON that begins with the exit code."""
    folder.write(NAME, f"{line}\n".encode())


def is_present(folder: Folder) -> bool:
    """Return whether the folder holds such a file, and not a file or folder of the user's with the same name."""
    with suppress(PlatformError):
        return folder.head(NAME, len(BEGINNING)) == BEGINNING
    return False


def remove(folder: Folder) -> None:
    """Remove the file of an earlier run, if there is one."""
    if NAME in folder.names() and is_present(folder):
        folder.remove(NAME)
