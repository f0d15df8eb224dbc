"""Read the value of one option, from a word of a command line or from JSON, and write it back as plain JSON.

A reader has `text(word)`, `json(value)`, both of which raise ValueError("expected ..., found ..."), and `plain(value)`.
Dataclasses whose fields are made by `option` are at once the command line, the configuration file and its check.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Mapping
from typing import Any

from nn.core import files, spec


def option(
    default: Any,
    reader: Any,
    help: str,
    *,
    group: str | None = None,
    after: str = "",
    affects_results: bool = True,
) -> Any:
    """Return a dataclass field that a command line and a configuration file may set.

    --help lists it in `group`, below the option named `after`, or else in the order of the fields. Without a group it
    is a key of configuration files alone. OUTPUT/config.json keeps the options that affect the results.
    """
    metadata = {
        "reader": reader,
        "help": help,
        "group": group,
        "after": after,
        "affects_results": affects_results,
    }
    return dataclasses.field(default=default, metadata=metadata)


def options_of(cls: type) -> dict[str, dataclasses.Field]:
    """The fields of a dataclass that `option` made, by name."""
    return {field.name: field for field in dataclasses.fields(cls) if "reader" in field.metadata}


LARGEST_FILE = 1 << 20  # bytes of a configuration file


def json_object(path: str) -> dict[str, Any]:
    """The JSON object in a file; ValueError names the file and what is wrong with it."""
    try:
        content = files.read(path, LARGEST_FILE)
    except OSError as error:
        raise ValueError(f"cannot read {path or repr(path)}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return json_object_of(content, path)


def json_object_of(content: bytes, path: str) -> dict[str, Any]:
    """The JSON object in the bytes of a file; ValueError names the file and what is wrong with it."""
    try:
        found = json.loads(content, object_pairs_hook=_said_once)
    except RecursionError:
        raise ValueError(f"{path}: expected JSON, found brackets nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, found {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(found).__name__}")
    return found


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name[:80]!a} twice")
        found[name] = value
    return found


def invalid(expected: str, found: Any) -> ValueError:
    """The error that every reader raises."""
    shown = repr(found)
    return ValueError(f"expected {expected}, found {shown if len(shown) <= 80 else shown[:77] + '...'}")


class Reader:
    """A text that is kept as it is; others override what differs."""

    metavar = "TEXT"

    def text(self, word: str) -> Any:
        """The value that a word of the command line stands for."""
        return word

    def json(self, value: Any) -> Any:
        """The value that a JSON value stands for."""
        if not isinstance(value, str):
            raise invalid("a text", value)
        return self.text(value)

    def plain(self, value: Any) -> Any:
        """The value as JSON, which `json` reads back."""
        return value


class Sentence(Reader):
    """A text of one line: line ends and runs of blanks become one blank."""

    def text(self, word):
        """Return the words of the text with one blank between them."""
        return " ".join(word.split())


class Place(Reader):
    """A path or URI; an empty one would mean the current folder to some and nothing to others."""

    def text(self, word):
        """Anything but nothing."""
        if not word or "\0" in word:
            raise invalid("a path", word)
        return word


class Integer(Reader):
    """A whole number from `least` on, up to `most`."""

    metavar = "N"

    def __init__(self, least: int | None = None, what: str = "a whole number", most: int = sys.maxsize):
        self.least, self.most = least, most
        self.expected = what if least is None else f"{what} of at least {least}"
        if most < sys.maxsize:
            self.expected = f"{what} from {least} to {most}"

    def text(self, word):
        """Digits, with a sign or without."""
        try:
            return self._inside(int(word), word)
        except ValueError:
            raise invalid(self.expected, word) from None

    def json(self, value):
        """A JSON number without a fraction."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(self.expected, value)
        return self._inside(value, value)

    def _inside(self, value: int, found: Any) -> int:
        if (self.least is not None and value < self.least) or not -sys.maxsize <= value <= self.most:
            raise invalid(self.expected, found)
        return value


class Number(Reader):
    """A finite number between `low` and `high`; `above` and `below` leave the ends out."""

    def __init__(
        self, low: float, high: float, expected: str, metavar: str, above: bool = False, below: bool = False
    ):
        self.low, self.high, self.above, self.below = low, high, above, below
        self.expected, self.metavar = expected, metavar

    def text(self, word):
        """Anything that Python reads as a float."""
        try:
            value = float(word)
        except ValueError:
            raise invalid(self.expected, word) from None
        return self._inside(value, word)

    def json(self, value):
        """A JSON number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > sys.float_info.max:
            raise invalid(self.expected, value)
        return self._inside(float(value), value)

    def _inside(self, value: float, found: Any) -> float:
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        if not (low and high and math.isfinite(value)):
            raise invalid(self.expected, found)
        return value


def positive(metavar: str = "X") -> Number:
    """A reader of finite numbers above 0."""
    return Number(0, math.inf, "a number above 0", metavar, above=True)


def non_negative(metavar: str = "X") -> Number:
    """A reader of finite numbers from 0 on."""
    return Number(0, math.inf, "a number of at least 0", metavar)


class Flag(Reader):
    """Yes or no: a flag on a command line, true or false in JSON."""

    metavar = ""

    def json(self, value):
        """true or false."""
        if not isinstance(value, bool):
            raise invalid("true or false", value)
        return value


class Choice(Reader):
    """One of a few names."""

    def __init__(self, names: tuple[str, ...], metavar: str = "NAME"):
        self.names, self.metavar = names, metavar

    def text(self, word):
        """The name itself."""
        if word not in self.names:
            raise invalid(f"one of {', '.join(self.names)}", word)
        return word


class Spec(Reader):
    """A thing of a registry in the words of nn.core.spec, or as a JSON object."""

    metavar = "NAME[:VALUE]"

    def __init__(self, registry: Mapping[str, type], kind: str):
        self.registry, self.kind = registry, kind

    def text(self, word):
        """A word such as adamw:0.1."""
        return spec.parse(word, self.registry, self.kind)

    def json(self, value):
        """A word, or {"name": ...}."""
        return spec.from_config(value, self.registry, self.kind)

    def plain(self, value):
        """The shortest word."""
        return spec.to_text(value)


class SpecList(Spec):
    """Several of them, in order: words between commas, or a JSON list."""

    metavar = "LIST"

    def text(self, word):
        """Words between commas."""
        return spec.parse_list(word, self.registry, self.kind)

    def json(self, value):
        """Words between commas, or a list of words and objects."""
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, list) or not value:
            raise invalid(f"a list of {self.kind}s", value)
        return tuple(spec.from_config(each, self.registry, self.kind) for each in value)

    def plain(self, value):
        """The shortest words between commas."""
        return ",".join(map(spec.to_text, value))


class IntegerList(Reader):
    """Whole numbers above 0: between commas or an "x", or a JSON list."""

    def __init__(self, separator: str, expected: str, metavar: str, lengths: tuple[int, ...] = ()):
        self.separator, self.expected, self.metavar, self.lengths = separator, expected, metavar, lengths

    def text(self, word):
        """Numbers between separators."""
        try:
            sizes = tuple(int(part) for part in word.split(self.separator))
        except ValueError:
            raise invalid(self.expected, word) from None
        return self._fitting(sizes, word)

    def json(self, value):
        """A list of numbers, a number, or the words of the command line."""
        if isinstance(value, str):
            return self.text(value)
        sizes = value if isinstance(value, list) else [value]
        if not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
            raise invalid(self.expected, value)
        return self._fitting(tuple(sizes), value)

    def plain(self, value):
        """A list."""
        return list(value)

    def _fitting(self, sizes: tuple[int, ...], found: Any) -> tuple[int, ...]:
        if not sizes or any(not 0 < size <= sys.maxsize for size in sizes):
            raise invalid(self.expected, found)
        if self.lengths and len(sizes) not in self.lengths:
            raise invalid(self.expected, found)
        return sizes
