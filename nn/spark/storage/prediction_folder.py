"""OUTPUT of predict_task.py: predictions/, the scores where there are labels, and _SUCCESS last."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import Any

from nn.core.errors import PlatformError, UsageError
from nn.core.options import LARGEST_FILE, json_object_of
from nn.io import results
from nn.spark.storage.filesystem import Folder
from nn.spark.storage.run_directory import CONFIG, PART, SUCCESS, content_of

PREDICTIONS = "predictions"
PROGRAM = "predict_task.py"
FILES = ("summary.json", "confusion_matrix.csv", "examples.csv", "predicted.csv", CONFIG)
SCORES = ("metrics", "tests")  # folders
_OURS = re.compile(r"_SUCCESS|part-.*|_temporary|_started_.*|_committed_.*|\..*\.crc")


class PredictionFolder:
    """The output folder of one run of predict_task.py."""

    def __init__(self, folder: Folder):
        self.folder = folder

    @property
    def predictions(self) -> str:
        """Return the path of the predictions, as Spark takes it."""
        path = f"{self.folder.path}/{PREDICTIONS}"
        return f"file:{os.path.abspath(path)}" if self.folder.is_local else path

    def check(self, overwrite: bool) -> None:
        """Raise UsageError if OUTPUT holds files that may not be replaced, PlatformError if it cannot be written."""
        self.folder.check_writable()
        names = content_of(self.folder)
        if not names:
            return
        path = self.folder.path
        if not overwrite:
            raise UsageError(
                f"OUTPUT: expected a folder that is new or empty, found {names[0] if len(names) == 1 else len(names)}"
                f"{'' if len(names) == 1 else ' entries'} in {path}; --overwrite replaces what {PROGRAM} wrote"
            )
        if not self._is_ours():
            raise UsageError(
                f"--overwrite: expected a folder that {PROGRAM} wrote as OUTPUT, found no {CONFIG} of it in {path}; "
                "choose another OUTPUT"
            )
        foreign = [name for name in self.folder.names(PREDICTIONS) if not _OURS.fullmatch(name)]
        if foreign:
            raise UsageError(
                f"OUTPUT: expected only predictions in {path}/{PREDICTIONS}, found {foreign[0]}; move it elsewhere"
            )

    def _is_ours(self) -> bool:
        with suppress(ValueError):
            content = self.folder.read(CONFIG, LARGEST_FILE) or b""
            return json_object_of(content, CONFIG).get("program") == PROGRAM
        return False

    def begin(self, configuration: dict[str, Any]) -> None:
        """Remove what an earlier run wrote, _SUCCESS first and predictions/ excepted; write the configuration."""
        present = set(self.folder.names())
        for name in (SUCCESS, *FILES):
            if name in present and name != CONFIG:
                self.folder.remove(name)
        for folder in SCORES:
            for name in self.folder.names(folder) if folder in present else ():
                if name in (PART, SUCCESS) or name.endswith(".crc"):
                    self.folder.remove(f"{folder}/{name}")
        self._write(CONFIG, results.to_json({"program": PROGRAM, **configuration}))

    def check_parts(self, least: int) -> None:
        """Raise PlatformError where part files are missing: executors may have disks of their own."""
        found = sum(name.startswith("part-") for name in self.folder.names(PREDICTIONS))
        if found < least:
            self.invalidate()
            raise PlatformError(
                f"OUTPUT: expected {least} part files in {self.folder.path}/{PREDICTIONS}, found {found}: executors on "
                "other machines wrote the others to disks of their own; choose a folder that all machines share"
            )

    def invalidate(self) -> None:
        """Remove the mark that the predictions are complete."""
        self.folder.remove(f"{PREDICTIONS}/{SUCCESS}")

    def finish(self, score_files: dict[str, str], summary: dict[str, Any]) -> None:
        """Write the scores and the summary, and _SUCCESS last, which marks all as complete."""
        for name, content in score_files.items():
            self._write(name, content)
        for folder in sorted({name.partition("/")[0] for name in score_files if "/" in name}):
            self._write(f"{folder}/{SUCCESS}", "")
        self._write("summary.json", results.to_json(summary))
        self._write(SUCCESS, "")

    def _write(self, name: str, content: str) -> None:
        self.folder.write(name, content.encode())
