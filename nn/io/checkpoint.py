"""Checkpoints: all that a run's next epoch depends on, as an .npz file of plain arrays and a JSON text.

A progress is a nest of dicts, lists, numbers, strings and arrays. The text holds the nest with {"array": number} in
place of each array; an array that occurs several times is written once. Numbers are written in their shortest exact
form, so that the values that are read are, bit for bit, those that were written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core import npz, tree
from nn.training.records import Best, Epoch, Progress

FORMAT = 1
TEXT = "checkpoint"  # the name of the JSON text among the arrays
DEEPEST = 40  # of a nest; a progress of the deepest network has 6


class Checkpoint(NamedTuple):
    """A run after an epoch, with its configuration, data and versions."""

    progress: Progress
    config: dict[str, Any]  # the options with their defaults
    data: dict[str, Any]  # fingerprints of its data
    versions: dict[str, str]

    @property
    def epoch(self) -> int:
        """Return the number of epochs that the run has made."""
        return len(self.progress.history)


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the content of a checkpoint's file; the same values give the same bytes.

    Raises TypeError for a value that `from_bytes` would not read back as it is.
    """
    arrays: list[np.ndarray] = []
    fold = partial(_folded, arrays=arrays, known={})
    state, history, best, average = checkpoint.progress
    whole = {
        "format": FORMAT,
        "config": checkpoint.config,
        "data": checkpoint.data,
        "versions": checkpoint.versions,
        "state": fold(tree.to_plain(state)),
        "history": [fold(list(line)) for line in history],
        "best": None if best is None else fold(best._asdict()),
        **({} if average is None else {"average": fold(tree.to_plain(average))}),
    }
    text = np.array(json.dumps(whole, allow_nan=False))
    return npz.to_bytes({TEXT: text, **{str(number): array for number, array in enumerate(arrays)}})


def from_bytes(content: bytes) -> Checkpoint:
    """Read the content of a checkpoint's file. Raises ValueError that names the faulty value.

    The state is not compared with a network and an optimizer: TrainingRun.restore does that. Checkpoints are not
    written once parameters are no longer finite, so numbers that are not finite are a fault of the file.
    """
    arrays = npz.from_bytes(content)
    whole = npz.pop_json(arrays, TEXT)
    if whole.get("format") != FORMAT:
        raise ValueError(f"expected checkpoint format {FORMAT}, found {ascii(whole.get('format'))[:20]}")
    for name in ("config", "data", "versions", "state"):
        if not isinstance(whole.get(name), dict):
            raise ValueError(f"expected {name} as a JSON object, found {type(whole.get(name)).__name__}")
    state = _unfolded(whole["state"], arrays)
    if not isinstance(state, dict):
        raise ValueError(f"expected state as a JSON object, found {type(state).__name__}")
    history = tuple(map(_epoch, _list(whole.get("history"), "history"), range(1, 1 << 62)))
    best = _best(_unfolded(whole.get("best"), arrays), len(history))
    average = _unfolded(whole.get("average"), arrays)
    _refuse_not_finite(state, best, average)
    progress = Progress(state, history, best, average)
    return Checkpoint(progress, whole["config"], whole["data"], whole["versions"])


# ---- a nest <-> JSON and arrays ----


def _folded(nest: Any, arrays: list[np.ndarray], known: dict[int, int]) -> Any:
    """Return a nest as JSON values; append its arrays to `arrays`, and their indices to `known` by identity."""
    if isinstance(nest, dict):
        if not all(isinstance(key, str) for key in nest) or nest.keys() & {"array", "number"}:
            raise TypeError(f"expected keys that are strings, got {list(nest)}")
        return {key: _folded(branch, arrays, known) for key, branch in nest.items()}
    if isinstance(nest, list):
        return [_folded(branch, arrays, known) for branch in nest]
    if isinstance(nest, np.ndarray):
        if id(nest) not in known:
            known[id(nest)] = len(arrays)
            arrays.append(nest)
        return {"array": known[id(nest)]}
    if type(nest) is float:
        return nest if math.isfinite(nest) else {"number": repr(nest)}
    if nest is None or type(nest) in (bool, int, str):
        return nest
    raise TypeError(f"expected plain values and arrays, got {type(nest).__name__}")


def _unfolded(nest: Any, arrays: dict[str, np.ndarray], depth: int = 0) -> Any:
    """Return the nest that `_folded` wrote; an array that occurs several times is one array again."""
    if depth > DEEPEST:
        raise ValueError(f"expected at most {DEEPEST} values inside each other, found more")
    if isinstance(nest, list):
        return [_unfolded(branch, arrays, depth + 1) for branch in nest]
    if not isinstance(nest, dict):
        return nest
    if nest.keys() == {"array"}:
        name = str(nest["array"])
        if name not in arrays:
            raise ValueError(f"the array {name[:20]!r} is missing")
        return arrays[name]
    if nest.keys() == {"number"}:
        return _not_finite(nest["number"])
    return {key: _unfolded(branch, arrays, depth + 1) for key, branch in nest.items()}


def _not_finite(word: Any) -> float:
    known = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
    if not isinstance(word, str) or word not in known:
        raise ValueError(f"expected nan, inf or -inf as a number, found {str(word)[:20]!r}")
    return known[word]


# ---- the parts ----


def _refuse_not_finite(state: dict[str, Any], best: Best | None, average: Any) -> None:
    """Raise ValueError, which names the array, if the parameters to continue from are not finite.

    Where a step can be rejected, the trial may be anywhere: only the last accepted point is checked. In the optimizer's
    slots an infinity is valid: a running mean of squares may exceed float32.
    """
    accepted = state.get("standing")
    if isinstance(accepted, dict):
        branches = {f"state.standing.{name}": branch for name, branch in accepted.items()}
    else:
        branches = {f"state.{name}": state.get(name) for name in ("trial", "slots")}
    if best is not None:
        branches["best"] = best.params
    branches["average"] = average
    for path, branch in branches.items():
        is_invalid = np.isnan if path.endswith(".slots") else lambda array: ~np.isfinite(array)
        for name, array in _arrays(branch, path):
            if array.dtype.kind == "f" and is_invalid(array).any():
                value = array[is_invalid(array)].flat[0]
                raise ValueError(f"{name}: expected finite numbers, found {value:g}")


def _arrays(nest: Any, path: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a nest, each with its path of keys."""
    if isinstance(nest, np.ndarray):
        yield path, nest
    elif isinstance(nest, (dict, list)):
        branches = nest.items() if isinstance(nest, dict) else enumerate(nest)
        for key, branch in branches:
            yield from _arrays(branch, f"{path}.{key}")


def _list(value: Any, name: str) -> list:
    if not isinstance(value, list):
        raise ValueError(f"expected {name} as a JSON list, found {type(value).__name__}")
    return value


def _epoch(value: Any, number: int) -> Epoch:
    """Return epoch `number`, from 1, of the history."""
    fields = [_unfolded(field, {}) for field in _list(value, "an epoch")]
    if len(fields) != len(Epoch._fields):
        raise ValueError(f"expected {len(Epoch._fields)} values for an epoch, found {len(fields)}")
    line = Epoch(*fields)
    optional = ("accuracy", "val_cost", "val_accuracy")
    for name, field in line._asdict().items():
        kind = bool if name == "accepted" else int if name in ("epoch", "rows") else float
        if type(field) is not kind and not (name in optional and field is None):
            raise ValueError(
                f"epoch {number}: expected a {kind.__name__} as {name}, found {str(field)[:20]!r}"
            )
    if line.epoch != number:
        raise ValueError(f"expected epoch {number} in the history, found {line.epoch}")
    return line


def _best(value: Any, epochs: int) -> Best | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != set(Best._fields):
        raise ValueError(f"expected {', '.join(Best._fields)} of the best epoch, found {str(value)[:40]!r}")
    best = Best(**value)
    if type(best.epoch) is not int or not 1 <= best.epoch <= epochs or type(best.cost) is not float:
        raise ValueError(f"expected a best epoch in 1..{epochs}, found {str(best.epoch)[:20]!r}")
    return best
