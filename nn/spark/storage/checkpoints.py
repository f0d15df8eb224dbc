"""Write checkpoints to OUTPUT, each with a manifest, read the newest one for --resume, and remove old ones.

OUTPUT/checkpoints/epoch-000012-1a2b3c4d.npz    the checkpoint; its name ends in the start of its SHA-256
OUTPUT/checkpoints/epoch-000012-1a2b3c4d.json   its manifest, written after it: bytes, SHA-256, the epoch's cost

A checkpoint without a manifest is incomplete. One that does not match its manifest is reported and skipped. No file is
ever written twice, so earlier manifests stay valid.
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
# The names that runs write: both files, and the temporary files that an interrupted write may leave.
_OURS = re.compile(rf"\.{{0,2}}{_NAME.pattern}\.(?:npz|json)(?:\.part)?(?:\.crc)?")


class Entry(NamedTuple):
    """A checkpoint in the folder."""

    epoch: int
    name: str  # without the suffix
    cost: float  # of the validation rows where there are some; infinity where it is not finite


class Refused(NamedTuple):
    """A checkpoint that could not be read."""

    epoch: int
    why: str  # its path and the reason, in a line
    is_damaged: bool  # False: the disk or the service failed to read it, and may succeed at another time


class Checkpoints:
    """The checkpoints in a run's folder, of which the last `keep` and the best are kept."""

    def __init__(self, folder: Folder, keep: int):
        self._folder, self._keep = folder, keep
        self._entries: list[Entry] = []
        self._unread: set[str] = set()  # names of those that may be whole, but could not be read
        self.refused: list[Refused] = []  # the newest first

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint that can be read, or None where there is none. `refused` lists the others.

        Raises DataError where all are damaged, PlatformError where some may be whole but could not be read.
        """
        names = [name.removesuffix(".json") for name in filter(is_manifest, self._folder.names(FOLDER))]
        newest = None
        for name in sorted(names, key=_epoch_of, reverse=True):
            try:
                manifest = self._manifest(name)
                newest = newest or self._read(name, manifest)
            except (ValueError, MemoryError, PlatformError) as error:
                self._refuse(name, error)
                continue
            self._entries.insert(0, Entry(_epoch_of(name), name, manifest["cost"]))
        if newest is None and self.refused:
            raise self._nothing_to_read()
        return newest

    def _refuse(self, name: str, error: Exception) -> None:
        is_damaged = isinstance(error, ValueError)
        if not is_damaged:
            self._unread.add(name)
        why = error if str(error) else "more than there is memory for"
        self.refused.append(
            Refused(_epoch_of(name), f"{self._folder.path}/{FOLDER}/{name}.npz: {why}", is_damaged)
        )

    def _nothing_to_read(self) -> UserError:
        unread = [refused.why for refused in self.refused if not refused.is_damaged]
        if unread:
            return PlatformError(f"{unread[0]}; no checkpoint can be read now, --overwrite starts anew")
        return DataError(f"{self.refused[0].why}; no checkpoint can be read, --overwrite starts anew")

    def write(self, point: Checkpoint) -> None:
        """Write a checkpoint, then its manifest. Call `sweep` afterwards."""
        content = checkpoint.to_bytes(point)
        digest = hashlib.sha256(content).hexdigest()
        name = f"epoch-{point.epoch:06}-{digest[:8]}"
        manifest = {
            "format": FORMAT,
            "epoch": point.epoch,
            "cost": _cost_of(point.progress.history[-1]),
            "bytes": len(content),
            "sha256": digest,
        }
        self._folder.write(f"{FOLDER}/{name}.npz", content)
        self._folder.write(f"{FOLDER}/{name}.json", results.to_json(manifest).encode())
        self._entries = [entry for entry in self._entries if entry.epoch < point.epoch]
        self._entries.append(Entry(point.epoch, name, _finite_or_infinity(manifest["cost"])))

    def clear(self) -> None:
        """Remove all checkpoints, and the folder if it is then empty. Files that no run wrote stay."""
        self._entries, self._unread = [], set()
        self.sweep()
        if not self._folder.names(FOLDER):
            self._folder.remove(FOLDER)

    def sweep(self) -> None:
        """Remove the checkpoints that are no longer kept, and the temporary files of interrupted writes."""
        last = self._entries[-self._keep :]
        best = min(self._entries, key=lambda entry: entry.cost, default=None)
        self._entries = [entry for entry in self._entries if entry in last or entry is best]
        whole = self._unread.union(entry.name for entry in self._entries)
        kept = {f"{name}.{suffix}" for name in whole for suffix in ("npz", "json")}
        names = filter(is_ours, self._folder.names(FOLDER))
        obsolete = [name for name in names if name.lstrip(".").removesuffix(".crc") not in kept]
        # Manifests first, so that there is never a manifest without its checkpoint.
        for name in sorted(obsolete, key=lambda name: not name.endswith(".json")):
            self._folder.remove(f"{FOLDER}/{name}")

    def _manifest(self, name: str) -> dict[str, Any]:
        content = self._folder.read(f"{FOLDER}/{name}.json", LARGEST_MANIFEST) or b""
        try:
            manifest = json.loads(content)
        except (ValueError, RecursionError):
            raise ValueError("its manifest is not JSON") from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ValueError(f"expected a manifest of format {FORMAT}")
        for key in ("epoch", "bytes"):
            if type(manifest.get(key)) is not int or not 0 <= manifest[key] < 1 << 62:
                raise ValueError(f"expected a whole number as {key} in its manifest")
        if manifest["epoch"] != _epoch_of(name):
            raise ValueError(f"expected epoch {_epoch_of(name)} in its manifest, found {manifest['epoch']}")
        return {**manifest, "cost": _finite_or_infinity(manifest.get("cost"))}

    def _read(self, name: str, manifest: dict[str, Any]) -> Checkpoint:
        size = manifest["bytes"]
        content = self._folder.read(f"{FOLDER}/{name}.npz", size)
        if content is None:
            raise ValueError("its manifest is there, the file is not")
        if len(content) != size:
            raise ValueError(f"expected {size} bytes as its manifest says, found {len(content)}")
        digest = hashlib.sha256(content).hexdigest()
        if digest != manifest.get("sha256"):
            raise ValueError("its bytes are not those that its manifest's SHA-256 was taken of")
        point = checkpoint.from_bytes(content)
        if point.epoch != _epoch_of(name):
            raise ValueError(f"expected epoch {_epoch_of(name)} as its name says, found {point.epoch}")
        return point


def is_ours(name: str) -> bool:
    """Return whether a name in the folder is one that runs write."""
    return _OURS.fullmatch(name) is not None


def is_manifest(name: str) -> bool:
    """Return whether a name in the folder is that of a manifest."""
    return name.endswith(".json") and _NAME.fullmatch(name.removesuffix(".json")) is not None


def _epoch_of(name: str) -> int:
    match = _NAME.fullmatch(name)
    assert match is not None
    return int(match[1])


def _cost_of(epoch: Epoch) -> float:
    return epoch.cost if epoch.val_cost is None else epoch.val_cost


def _finite_or_infinity(cost: Any) -> float:
    try:
        return float(cost) if isinstance(cost, (int, float)) and math.isfinite(cost) else math.inf
    except OverflowError:  # a whole number beyond all floats
        return math.inf
