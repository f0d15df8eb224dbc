"""OUTPUT: write the histories while the run goes on, the results at its end, and _SUCCESS last."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from nn.core.errors import PlatformError
from nn.core.options import LARGEST_FILE, json_object_of
from nn.io import results
from nn.spark.storage.filesystem import Folder
from nn.training.evaluation import Score
from nn.training.records import Epoch

CONFIG = "config.json"
FOLDERS = ("cost_history", "accuracy_history", "metrics", "tests")
FILES = ("history.csv", "confusion_matrix.csv", "examples.csv", "summary.json", "model.npz", CONFIG)
SUCCESS = "_SUCCESS"
PART = "part-00000"
PROBE, PROBED = ".probe.part", b"can be written to\n"  # a name that a run may leave behind, and what is in it
SECONDS_BETWEEN = 10.0  # how often a history is written where each write is a request to a far service


class Output:
    """The folder of one run."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._pending: tuple[Epoch, ...] = ()
        self._written = -SECONDS_BETWEEN

    def config(self) -> dict[str, Any]:
        """The configuration of the run whose folder this is; ValueError where there is none."""
        path = f"{self.folder.path}/{CONFIG}"
        try:
            content = self.folder.read(CONFIG, LARGEST_FILE) or b""
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return json_object_of(content, path)

    def probe(self) -> None:
        """Write a file, read it and remove it; PlatformError where that cannot be done."""
        created = self.folder.missing()
        try:
            self.folder.write(PROBE, PROBED)
            found = self._probed()
            self.folder.remove(PROBE)
        except BaseException:
            with suppress(PlatformError):
                self.folder.remove(PROBE)
            raise
        finally:
            self.folder.drop(created)
        if found != PROBED:
            raise PlatformError(
                f"cannot use {self.folder.path} as OUTPUT: a file written there reads otherwise"
            )

    def _probed(self) -> bytes | None:
        with suppress(ValueError):
            return self.folder.read(PROBE, len(PROBED))
        return None

    @property
    def is_finished(self) -> bool:
        """Whether a run wrote all that it had to write here."""
        return SUCCESS in self.folder.names()

    def clear(self) -> None:
        """Remove what an earlier run wrote, _SUCCESS first, but for its checkpoints and its configuration."""
        present = set(self.folder.names())
        for name in (SUCCESS, *FILES):
            for each in (name, f".{name}.part"):
                if each in present and each != CONFIG:
                    self.folder.remove(each)
        for folder in FOLDERS:
            if folder in present:
                for name in filter(is_part, self.folder.names(folder)):
                    self.folder.remove(f"{folder}/{name}")
                if not self.folder.names(folder):
                    self.folder.remove(folder)

    def write_config(self, config: dict) -> None:
        """Write the configuration that the run goes by, where it is not there already."""
        content = results.to_json(config)
        with suppress(ValueError):
            # Not every file system replaces a file at once, and a run that goes on mostly has the same to say.
            if self.folder.read(CONFIG, LARGEST_FILE) == content.encode():
                return
        self._write_all({CONFIG: content})

    def write_history(self, history: tuple[Epoch, ...]) -> None:
        """Write the histories so far: each epoch on a local disk, elsewhere at most every 10 seconds."""
        self._pending = history
        if self.folder.is_local or time.monotonic() - self._written >= SECONDS_BETWEEN:
            self.finish_history()

    def finish_history(self) -> None:
        """Write what of the histories is not written yet; called however training ends."""
        if self._pending:
            self._write_all(results.history_files(self._pending))
            self._pending = ()
            self._written = time.monotonic()

    def write_results(self, score: Score, summary: dict, model: bytes) -> None:
        """Write all that a finished run leaves; _SUCCESS, last, says that it is whole."""
        self._write_all(results.score_files(score))
        for folder in FOLDERS:
            self.folder.write(f"{folder}/{SUCCESS}", b"")
        self.folder.write("model.npz", model)
        self.folder.write("summary.json", results.to_json(summary).encode())
        self.folder.write(SUCCESS, b"")

    def _write_all(self, files: dict[str, str]) -> None:
        for name, content in files.items():
            self.folder.write(name, content.encode())


def is_part(name: str) -> bool:
    """Whether a name in one of the folders is one that runs, or Hadoop's checksums, have there."""
    return name in (PART, SUCCESS) or name.endswith(".crc") or is_scratch(name)


def is_scratch(name: str) -> bool:
    """Whether a write that was cut short may have left a file of that name."""
    return name.startswith(".") and name.removesuffix(".crc").endswith(".part")
