"""All that a run's next epoch depends on <-> one .npz file of plain arrays and a text of JSON.

A progress is a nest of dicts, lists, numbers, texts and arrays. The text holds the nest with {"array": number} in the
place of each array; an array that stands in several places is written once. A number is written in its shortest exact
form, so that what is read is, bit for bit, what was written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core import npz
from nn.training.records import Best, Epoch, Progress

FORMAT = 1
TEXT = "checkpoint"  # the name of the JSON text among the arrays
DEEPEST = 40  # of a nest; a progress of the deepest network has 6


class Checkpoint(NamedTuple):
    """A run after an epoch, and what it is a run of."""

    progress: Progress
    config: dict[str, Any]  # the options, defaults filled in
    data: dict[str, Any]  # what tells its data from other data
    versions: dict[str, str]

    @property
    def epoch(self) -> int:
        """How many epochs the run has made."""
        return len(self.progress.history)


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """The file's content; the same values give the same bytes.

    Raises TypeError for a value that would not come back as it is.
    """
    arrays: list[np.ndarray] = []
    fold = partial(_folded, arrays=arrays, known={})
    state, history, best = checkpoint.progress
    whole = {
        "format": FORMAT,
        "config": checkpoint.config,
        "data": checkpoint.data,
        "versions": checkpoint.versions,
        "state": fold(state),
        "history": [fold(list(line)) for line in history],
        "best": None if best is None else fold(best._asdict()),
    }
    text = np.array(json.dumps(whole, allow_nan=False))
    return npz.to_bytes({TEXT: text, **{str(number): array for number, array in enumerate(arrays)}})


def from_bytes(content: bytes) -> Checkpoint:
    """Read the content of a checkpoint; ValueError says what does not fit.

    Whether the state fits a network and an optimiser is theirs to say. None is written of a run whose parameters are no
    longer finite, so numbers that are not are a fault of the file.
    """
    arrays = npz.from_bytes(content)
    whole = npz.pop_json(arrays, TEXT)
    if whole.get("format") != FORMAT:
        raise ValueError(f"expected checkpoint format {FORMAT}, found {ascii(whole.get('format'))[:20]}")
    for name in ("config", "data", "versions", "state"):
        if not isinstance(whole.get(name), dict):
            raise ValueError(f"expected {name} as a JSON object, found {type(whole.get(name)).__name__}")
    state = _unfolded(whole["state"], arrays)
    history = tuple(map(_epoch, _list(whole.get("history"), "history"), range(1, 1 << 62)))
    best = _best(_unfolded(whole.get("best"), arrays), len(history))
    _refuse_not_finite(state, best)
    return Checkpoint(Progress(state, history, best), whole["config"], whole["data"], whole["versions"])


# ---- a nest <-> JSON and arrays ----


def _folded(nest: Any, arrays: list[np.ndarray], known: dict[int, int]) -> Any:
    """The nest as JSON; its arrays join the list, the places of those that did are in `known` by identity."""
    if isinstance(nest, dict):
        if not all(isinstance(key, str) for key in nest) or nest.keys() & {"array", "number"}:
            raise TypeError(f"expected keys that are texts, got {list(nest)}")
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
    """The nest of `_folded`; an array that stands in several places is one array again."""
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


def _refuse_not_finite(state: dict[str, Any], best: Best | None) -> None:
    """Raise ValueError, naming the place, where the parameters to go on from are no finite numbers.

    A step may lead a trial anywhere where it can be rejected: there the last accepted point counts alone. Among what a
    rule keeps beside the parameters an infinity is sound, as a running mean of squares that float32 no longer holds.
    """
    standing = state.get("standing")
    if isinstance(standing, dict):
        kept = {f"state.standing.{name}": branch for name, branch in standing.items()}
    else:
        kept = {f"state.{name}": state.get(name) for name in ("trial", "slots")}
    if best is not None:
        kept["best"] = best.params
    for place, branch in kept.items():
        lost = np.isnan if place.endswith(".slots") else _is_lost
        for name, array in _arrays(branch, place):
            if array.dtype.kind == "f" and lost(array).any():
                found = array[lost(array)].flat[0]
                raise ValueError(f"{name}: expected finite numbers, found {found:g}")


def _is_lost(array: np.ndarray) -> np.ndarray:
    return ~np.isfinite(array)


def _arrays(nest: Any, place: str) -> Iterator[tuple[str, np.ndarray]]:
    """Walk the arrays of a nest, each with its place."""
    if isinstance(nest, np.ndarray):
        yield place, nest
    elif isinstance(nest, (dict, list)):
        branches = nest.items() if isinstance(nest, dict) else enumerate(nest)
        for key, branch in branches:
            yield from _arrays(branch, f"{place}.{key}")


def _list(value: Any, name: str) -> list:
    if not isinstance(value, list):
        raise ValueError(f"expected {name} as a JSON list, found {type(value).__name__}")
    return value


def _epoch(value: Any, number: int) -> Epoch:
    """A line of the history, whose epochs are counted from 1."""
    fields = [_unfolded(each, {}) for each in _list(value, "an epoch")]
    if len(fields) != len(Epoch._fields):
        raise ValueError(f"expected {len(Epoch._fields)} values for an epoch, found {len(fields)}")
    line = Epoch(*fields)
    optional = ("val_cost", "val_accuracy")
    for name, each in line._asdict().items():
        kind = bool if name == "accepted" else int if name in ("epoch", "rows") else float
        if type(each) is not kind and not (name in optional and each is None):
            raise ValueError(
                f"epoch {number}: expected a {kind.__name__} as {name}, found {str(each)[:20]!r}"
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
