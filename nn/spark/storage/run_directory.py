"""OUTPUT: write the histories while the run goes on, the results at its end, and _SUCCESS last."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from nn.core.errors import PlatformError
from nn.core.options import LARGEST_FILE, json_object_of
from nn.io import results
from nn.spark.storage import error_file, lock_file
from nn.spark.storage.filesystem import Folder
from nn.training.records import Epoch

CONFIG, CARD = "config.json", "model.md"
FOLDERS = ("cost_history", "accuracy_history", "metrics", "tests")
FILES = (
    *("history.csv", "confusion_matrix.csv", "examples.csv", "predicted.csv", "summary.json", "model.npz"),
    *(CARD, CONFIG),
)
SUCCESS = "_SUCCESS"
PART = "part-00000"
PROBE, PROBE_CONTENT = ".probe.part", b"can be written to\n"  # a file that an interrupted run may leave
SECONDS_BETWEEN = 10.0  # between two writes of a history, where each write is a request to a remote service


class Output:
    """The output folder of one run."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._pending: tuple[Epoch, ...] = ()
        self._written = -SECONDS_BETWEEN
        self._folders: set[str] = set()  # those of FOLDERS that this run has written

    def config(self) -> dict[str, Any]:
        """Return the configuration of the run that wrote this folder. Raises ValueError where there is none."""
        path = f"{self.folder.path}/{CONFIG}"
        try:
            content = self.folder.read(CONFIG, LARGEST_FILE) or b""
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return json_object_of(content, path)

    def probe(self) -> None:
        """Write a file, read it and remove it. Raises PlatformError where that fails."""
        created = self.folder.missing()
        try:
            self.folder.write(PROBE, PROBE_CONTENT)
            content = self._read_probe()
            self.folder.remove(PROBE)
        except BaseException:
            with suppress(PlatformError):
                self.folder.remove(PROBE)
            raise
        finally:
            self.folder.drop(created)
        if content != PROBE_CONTENT:
            raise PlatformError(
                f"cannot use {self.folder.path} as OUTPUT: a file written there is read back with another content"
            )

    def _read_probe(self) -> bytes | None:
        with suppress(ValueError):
            return self.folder.read(PROBE, len(PROBE_CONTENT))
        return None

    @property
    def is_finished(self) -> bool:
        """Return whether a run has written all its results here."""
        return SUCCESS in self.folder.names()

    def clear(self) -> None:
        """Remove what an earlier run wrote, _SUCCESS first, except its checkpoints and its configuration."""
        present = set(self.folder.names())
        for name in (SUCCESS, *FILES):
            for file in (name, f".{name}.part"):
                if file in present and file != CONFIG:
                    self.folder.remove(file)
        for folder in FOLDERS:
            if folder in present:
                for name in filter(is_part, self.folder.names(folder)):
                    self.folder.remove(f"{folder}/{name}")
                if not self.folder.names(folder):
                    self.folder.remove(folder)

    def write_config(self, config: dict) -> None:
        """Write the configuration of the run, unless the same one is there already."""
        content = results.to_json(config)
        with suppress(ValueError):
            # Not every file system replaces a file at once, and a resumed run mostly has the same configuration.
            if self.folder.read(CONFIG, LARGEST_FILE) == content.encode():
                return
        self._write_all({CONFIG: content})

    def write_history(self, history: tuple[Epoch, ...]) -> None:
        """Write the histories so far: after each epoch on a local disk, elsewhere at most every 10 seconds."""
        self._pending = history
        if self.folder.is_local or time.monotonic() - self._written >= SECONDS_BETWEEN:
            self.finish_history()

    def finish_history(self) -> None:
        """Write the histories that are not written yet. Call this however training ends."""
        if self._pending:
            self._write_all(results.history_files(self._pending))
            self._pending = ()
            self._written = time.monotonic()

    def write_results(self, score_files: dict[str, str], summary: dict, model: bytes, card: str) -> None:
        """Write all results of a finished run, and _SUCCESS last, which marks them as complete."""
        self._write_all(score_files)
        for folder in FOLDERS:
            if folder in self._folders:
                self.folder.write(f"{folder}/{SUCCESS}", b"")
        self.folder.write("model.npz", model)
        self.folder.write(CARD, card.encode())
        self.folder.write("summary.json", results.to_json(summary).encode())
        self.folder.write(SUCCESS, b"")

    def _write_all(self, files: dict[str, str]) -> None:
        for name, content in files.items():
            self.folder.write(name, content.encode())
            self._folders.add(name.partition("/")[0])


def content_of(folder: Folder) -> list[str]:
    """Return the names in OUTPUT that are content: all but the lock file, why a run ended, and unfinished writes."""
    names = [name for name in folder.names() if name != lock_file.NAME and not is_scratch(name)]
    if error_file.NAME in names and error_file.is_present(folder):
        names.remove(error_file.NAME)
    return names


def is_part(name: str) -> bool:
    """Return whether a name in one of FOLDERS is one that runs or Hadoop's checksums use."""
    return name in (PART, SUCCESS) or name.endswith(".crc") or is_scratch(name)


def is_scratch(name: str) -> bool:
    """Return whether an interrupted write may have left a file of that name."""
    return name.startswith(".") and name.removesuffix(".crc").endswith(".part")
