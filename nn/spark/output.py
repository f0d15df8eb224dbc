"""OUTPUT: refuse what is not ours, write the histories while the run goes on, and _SUCCESS last."""

from __future__ import annotations

import time

from nn import results
from nn.errors import UsageError
from nn.evaluation import Score
from nn.records import Epoch
from nn.spark.storage import Folder

HISTORY_FOLDERS = ("cost_history", "accuracy_history")
SCORE_FOLDERS = ("metrics", "tests")
FILES = ("history.csv", "confusion_matrix.csv", "examples.csv", "summary.json", "model.npz")
SUCCESS = "_SUCCESS"
OURS = (SUCCESS, *HISTORY_FOLDERS, *SCORE_FOLDERS, *FILES)
SECONDS_BETWEEN = 10.0  # how often a history is written where each write is a request to a far service


class Output:
    """The folder of one run."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._written = -SECONDS_BETWEEN

    def claim(self, overwrite: bool) -> None:
        """Make sure that the run may write here; nothing is changed.

        Raises UsageError where something lies there and `overwrite` is not given.
        """
        names = self.folder.names()
        if names and not overwrite:
            raise UsageError(
                f"OUTPUT: expected a folder that is new or empty, found {len(names)} entries in "
                f"{self.folder.path}; --overwrite replaces what such a run writes"
            )

    def clear(self) -> None:
        """Remove what an earlier run wrote, and nothing else; _SUCCESS goes first."""
        present = set(self.folder.names())
        for name in OURS:
            if name in present:
                self.folder.remove(name)

    def write_history(self, history: tuple[Epoch, ...], last: bool = False) -> None:
        """Write the histories so far: each epoch on a local disk, elsewhere every 10 seconds and at the end."""
        now = time.monotonic()
        if not (last or self.folder.is_local or now - self._written >= SECONDS_BETWEEN):
            return
        self._write_all(results.history_files(history))
        if last:
            self._mark(HISTORY_FOLDERS)
        self._written = now

    def write_results(self, score: Score, summary: dict, model: bytes) -> None:
        """Write all that a finished run leaves; _SUCCESS, last, says that it is whole."""
        self._write_all(results.score_files(score))
        self._mark(SCORE_FOLDERS)
        self.folder.write("model.npz", model)
        self.folder.write("summary.json", results.to_json(summary).encode())
        self.folder.write(SUCCESS, b"")

    def _write_all(self, files: dict[str, str]) -> None:
        for name, content in files.items():
            self.folder.write(name, content.encode())

    def _mark(self, folders: tuple[str, ...]) -> None:
        for name in folders:
            self.folder.write(f"{name}/{SUCCESS}", b"")
