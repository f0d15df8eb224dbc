"""The checkpoints of a run in its OUTPUT: written whole, believed only with their manifest, found again by --resume.

OUTPUT/checkpoints/epoch-000012-1a2b3c4d.npz    the checkpoint; its name ends in the start of its SHA-256
OUTPUT/checkpoints/epoch-000012-1a2b3c4d.json   its manifest, written after it: bytes, SHA-256, what the epoch cost

A checkpoint without a manifest was never finished; one that does not match its manifest is named and passed over. No
file is ever written twice, so what an earlier manifest promises stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any, NamedTuple

from nn.core.errors import DataError, PlatformError, UserError
from nn.io import checkpoint, results
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.filesystem import Folder
from nn.training.records import Epoch

FOLDER = "checkpoints"
FORMAT = 1
LARGEST_MANIFEST = 1 << 16  # bytes
_NAME = re.compile(r"epoch-(\d{6,12})-[0-9a-f]{8}")
# What a run leaves in the folder: both files, and what a write that was cut short may leave of them.
_OURS = re.compile(rf"\.{{0,2}}{_NAME.pattern}\.(?:npz|json)(?:\.part)?(?:\.crc)?")


class Entry(NamedTuple):
    """A checkpoint that lies in the folder."""

    epoch: int
    name: str  # without the ending
    cost: float  # of the validation rows where there are some; infinite where it is no number


class Refused(NamedTuple):
    """A checkpoint that could not be read."""

    epoch: int
    why: str  # and which, in a line
    is_damaged: bool  # False: the disk or the service did not give it out, and may do so another time


class Checkpoints:
    """Reads, writes and sweeps away the checkpoints in a run's folder; the last `keep` and the best stay."""

    def __init__(self, folder: Folder, keep: int):
        self._folder, self._keep = folder, keep
        self._entries: list[Entry] = []
        self._spared: set[str] = set()  # names of those that may be whole, but were not given out
        self.refused: list[Refused] = []  # the latest first

    def newest(self) -> Checkpoint | None:
        """The last checkpoint that can be read, or None where there is none; `refused` says which could not.

        Raises DataError where there are some and all are damaged, PlatformError where some were not given out.
        """
        names = [name.removesuffix(".json") for name in filter(is_manifest, self._folder.names(FOLDER))]
        found = None
        for name in sorted(names, key=_epoch_of, reverse=True):
            try:
                manifest = self._manifest(name)
                found = found or self._read(name, manifest)
            except (ValueError, MemoryError, PlatformError) as error:
                self._refuse(name, error)
                continue
            self._entries.insert(0, Entry(_epoch_of(name), name, manifest["cost"]))
        if found is None and self.refused:
            raise self._nothing_to_read()
        return found

    def _refuse(self, name: str, error: Exception) -> None:
        is_damaged = isinstance(error, ValueError)
        if not is_damaged:
            self._spared.add(name)
        why = error if str(error) else "more than there is memory for"
        self.refused.append(
            Refused(_epoch_of(name), f"{self._folder.path}/{FOLDER}/{name}.npz: {why}", is_damaged)
        )

    def _nothing_to_read(self) -> UserError:
        spared = [each.why for each in self.refused if not each.is_damaged]
        if spared:
            return PlatformError(f"{spared[0]}; no checkpoint can be read now, --overwrite starts anew")
        return DataError(f"{self.refused[0].why}; no checkpoint can be read, --overwrite starts anew")

    def write(self, point: Checkpoint) -> None:
        """Write a checkpoint, then its manifest; `sweep` comes after it."""
        content = checkpoint.to_bytes(point)
        digest = hashlib.sha256(content).hexdigest()
        line = point.progress.history[-1]
        name = f"epoch-{point.epoch:06}-{digest[:8]}"
        manifest = {
            "format": FORMAT,
            "epoch": point.epoch,
            "cost": _judged_by(line),
            "bytes": len(content),
            "sha256": digest,
        }
        self._folder.write(f"{FOLDER}/{name}.npz", content)
        self._folder.write(f"{FOLDER}/{name}.json", results.to_json(manifest).encode())
        self._entries = [entry for entry in self._entries if entry.epoch < point.epoch]
        self._entries.append(Entry(point.epoch, name, _number(manifest["cost"])))

    def clear(self) -> None:
        """Remove all checkpoints, and the folder where nothing else is in it; what is not a run's stays."""
        self._entries, self._spared = [], set()
        self.sweep()
        if not self._folder.names(FOLDER):
            self._folder.remove(FOLDER)

    def sweep(self) -> None:
        """Remove the checkpoints that are no longer kept, and what is left of writes that were cut short."""
        last = self._entries[-self._keep :]
        best = min(self._entries, key=lambda entry: entry.cost, default=None)
        self._entries = [entry for entry in self._entries if entry in last or entry is best]
        whole = self._spared.union(entry.name for entry in self._entries)
        kept = {f"{name}.{ending}" for name in whole for ending in ("npz", "json")}
        names = filter(is_ours, self._folder.names(FOLDER))
        gone = [name for name in names if name.lstrip(".").removesuffix(".crc") not in kept]
        # Manifests first: a checkpoint must not be promised that is not there.
        for name in sorted(gone, key=lambda name: not name.endswith(".json")):
            self._folder.remove(f"{FOLDER}/{name}")

    def _manifest(self, name: str) -> dict[str, Any]:
        content = self._folder.read(f"{FOLDER}/{name}.json", LARGEST_MANIFEST) or b""
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            raise ValueError("its manifest is no JSON") from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f"expected a manifest of format {FORMAT}")
        for key in ("epoch", "bytes"):
            if type(found.get(key)) is not int or not 0 <= found[key] < 1 << 62:
                raise ValueError(f"expected a whole number as {key} in its manifest")
        if found["epoch"] != _epoch_of(name):
            raise ValueError(f"expected epoch {_epoch_of(name)} in its manifest, found {found['epoch']}")
        return {**found, "cost": _number(found.get("cost"))}

    def _read(self, name: str, manifest: dict[str, Any]) -> Checkpoint:
        promised = manifest["bytes"]
        content = self._folder.read(f"{FOLDER}/{name}.npz", promised)
        if content is None:
            raise ValueError("its manifest is there, the file is not")
        if len(content) != promised:
            raise ValueError(f"expected {promised} bytes as its manifest says, found {len(content)}")
        digest = hashlib.sha256(content).hexdigest()
        if digest != manifest.get("sha256"):
            raise ValueError("its bytes are not those that its manifest's SHA-256 was taken of")
        point = checkpoint.from_bytes(content)
        if point.epoch != _epoch_of(name):
            raise ValueError(f"expected epoch {_epoch_of(name)} as its name says, found {point.epoch}")
        return point


def is_ours(name: str) -> bool:
    """Whether a name in the folder is one that runs give there."""
    return _OURS.fullmatch(name) is not None


def is_manifest(name: str) -> bool:
    """Whether a name in the folder is that of a checkpoint's manifest."""
    return name.endswith(".json") and _NAME.fullmatch(name.removesuffix(".json")) is not None


def _epoch_of(name: str) -> int:
    match = _NAME.fullmatch(name)
    assert match is not None
    return int(match[1])


def _judged_by(line: Epoch) -> float:
    return line.cost if line.val_cost is None else line.val_cost


def _number(cost: Any) -> float:
    try:
        return float(cost) if isinstance(cost, (int, float)) and math.isfinite(cost) else math.inf
    except OverflowError:  # a whole number beyond all floats
        return math.inf
