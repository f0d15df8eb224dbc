"""OUTPUT: refuse what is not ours, write the histories while the run goes on, and _SUCCESS last."""

from __future__ import annotations

import time

from nn import results
from nn.errors import UsageError
from nn.evaluation import Score
from nn.records import Epoch
from nn.spark.storage import Folder

FOLDERS = ("cost_history", "accuracy_history", "metrics", "tests")
FILES = ("config.json", "history.csv", "confusion_matrix.csv", "examples.csv", "summary.json", "model.npz")
SUCCESS = "_SUCCESS"
SECONDS_BETWEEN = 10.0  # how often a history is written where each write is a request to a far service


class Output:
    """The folder of one run."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self._pending: tuple[Epoch, ...] = ()
        self._written = -SECONDS_BETWEEN

    def claim(self, overwrite: bool) -> None:
        """Make sure that the run may write here; nothing is changed.

        Raises UsageError where something lies there that the run may not or would not replace.
        """
        self.folder.check_writable()
        names = self.folder.names()
        if names and not overwrite:
            count = f"{len(names)} entries" if len(names) > 1 else names[0]
            raise UsageError(
                f"OUTPUT: expected a folder that is new or empty, found {count} in "
                f"{self.folder.path}; --overwrite replaces what such a run writes"
            )
        for folder in FOLDERS:
            foreign = [name for name in self.folder.names(folder) if not _is_part(name)]
            if foreign:
                raise UsageError(
                    f"OUTPUT: expected only part files of an earlier run in {self.folder.path}/{folder}, "
                    f"found {foreign[0]}"
                )

    def clear(self) -> None:
        """Remove what an earlier run wrote, and nothing else; _SUCCESS goes first."""
        present = set(self.folder.names())
        for name in (SUCCESS, *FILES):
            if name in present:
                self.folder.remove(name)
        for folder in FOLDERS:
            if folder in present:
                for name in self.folder.names(folder):
                    self.folder.remove(f"{folder}/{name}")
                self.folder.remove(folder)

    def write_config(self, config: dict) -> None:
        """Write the configuration that the run goes by."""
        self._write_all({"config.json": results.to_json(config)})

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


def _is_part(name: str) -> bool:
    return name == SUCCESS or name.startswith("part-") or name.endswith(".crc")
