"""Read the value of an option from the command line or from JSON, and write it back as plain JSON.

A reader has three methods: `text(word)` and `json(value)`, which raise ValueError("expected ..., found ..."), and
`plain(value)`. A dataclass whose fields are made by `option` defines the options of the command line, the keys of a
configuration file, and their checks.
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
    """Return the fields of a dataclass that `option` made, by name."""
    return {field.name: field for field in dataclasses.fields(cls) if "reader" in field.metadata}


LARGEST_FILE = 1 << 20  # bytes of a configuration file


def json_object(path: str) -> dict[str, Any]:
    """Read the JSON object in a file. Raises ValueError with the file's name and the reason."""
    try:
        content = files.read(path, LARGEST_FILE)
    except OSError as error:
        raise ValueError(f"cannot read {path or repr(path)}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return json_object_of(content, path)


def json_object_of(content: bytes, path: str) -> dict[str, Any]:
    """Parse the content of a file as a JSON object. Raises ValueError with `path` and the reason."""
    try:
        value = json.loads(content, object_pairs_hook=_unique_keys)
    except RecursionError:
        raise ValueError(f"{path}: expected JSON, found brackets nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, found {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"the key {name[:80]!a} twice")
        values[name] = value
    return values


def invalid(expected: str, found: Any) -> ValueError:
    """Return the error that every reader raises."""
    shown = repr(found)
    return ValueError(f"expected {expected}, found {shown if len(shown) <= 80 else shown[:77] + '...'}")


class Reader:
    """Read any text unchanged. The other readers override what differs."""

    metavar = "TEXT"

    def text(self, word: str) -> Any:
        """Convert a word of the command line to a value."""
        return word

    def json(self, value: Any) -> Any:
        """Convert a JSON value to a value."""
        if not isinstance(value, str):
            raise invalid("a text", value)
        return self.text(value)

    def plain(self, value: Any) -> Any:
        """Convert a value to JSON that `json` reads back."""
        return value


class Sentence(Reader):
    """A text of one line: line ends and runs of blanks become one blank."""

    def text(self, word: str) -> str:
        """Return the words of the text with one blank between them."""
        return " ".join(word.split())


class Place(Reader):
    """Read a path or URI. The empty path is refused: programs differ in whether it is the current folder."""

    def text(self, word: str) -> Any:
        """Accept any path that is not empty."""
        if not word or "\0" in word:
            raise invalid("a path", word)
        return word


class Integer(Reader):
    """Read an integer from `least` to `most`."""

    metavar = "N"

    def __init__(self, least: int | None = None, what: str = "a whole number", most: int = sys.maxsize):
        self.least, self.most = least, most
        self.expected = what if least is None else f"{what} of at least {least}"
        if most < sys.maxsize:
            self.expected = f"{what} from {least} to {most}"

    def text(self, word: str) -> Any:
        """Accept digits with or without a sign."""
        try:
            return self._inside(int(word), word)
        except ValueError:
            raise invalid(self.expected, word) from None

    def json(self, value: Any) -> Any:
        """Accept a JSON number without a fraction."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid(self.expected, value)
        return self._inside(value, value)

    def _inside(self, value: int, found: Any) -> int:
        if (self.least is not None and value < self.least) or not -sys.maxsize <= value <= self.most:
            raise invalid(self.expected, found)
        return value


class Number(Reader):
    """Read a finite number in [low, high]; `above` excludes `low`, `below` excludes `high`."""

    def __init__(
        self, low: float, high: float, expected: str, metavar: str, above: bool = False, below: bool = False
    ):
        self.low, self.high, self.above, self.below = low, high, above, below
        self.expected, self.metavar = expected, metavar

    def text(self, word: str) -> Any:
        """Accept any text that `float` reads."""
        try:
            value = float(word)
        except ValueError:
            raise invalid(self.expected, word) from None
        return self._inside(value, word)

    def json(self, value: Any) -> Any:
        """Accept a JSON number."""
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
    """Return a reader of finite numbers above 0."""
    return Number(0, math.inf, "a number above 0", metavar, above=True)


def non_negative(metavar: str = "X") -> Number:
    """Return a reader of finite numbers of at least 0."""
    return Number(0, math.inf, "a number of at least 0", metavar)


class Flag(Reader):
    """Read a flag: present or not on the command line, true or false in JSON."""

    metavar = ""

    def json(self, value: Any) -> Any:
        """Accept true or false."""
        if not isinstance(value, bool):
            raise invalid("true or false", value)
        return value


class Choice(Reader):
    """Read one of several names."""

    def __init__(self, names: tuple[str, ...], metavar: str = "NAME"):
        self.names, self.metavar = names, metavar

    def text(self, word: str) -> Any:
        """Accept one of the names."""
        if word not in self.names:
            raise invalid(f"one of {', '.join(self.names)}", word)
        return word


class Spec(Reader):
    """Read a layer, loss, optimizer, ...: a word of nn.core.spec, or a JSON object."""

    metavar = "NAME[:VALUE]"

    def __init__(self, registry: Mapping[str, type], kind: str):
        self.registry, self.kind = registry, kind

    def text(self, word: str) -> Any:
        """Accept a word such as adamw:0.1."""
        return spec.parse(word, self.registry, self.kind)

    def json(self, value: Any) -> Any:
        """Accept a word or {"name": ...}."""
        return spec.from_config(value, self.registry, self.kind)

    def plain(self, value: Any) -> Any:
        """Return the shortest word."""
        return spec.to_text(value)


class SpecList(Spec):
    """Read several in order: words separated by commas, or a JSON list."""

    metavar = "LIST"

    def text(self, word: str) -> Any:
        """Accept words separated by commas."""
        return spec.parse_list(word, self.registry, self.kind)

    def json(self, value: Any) -> Any:
        """Accept words separated by commas, or a list of words and objects."""
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, list) or not value:
            raise invalid(f"a list of {self.kind}s", value)
        return tuple(spec.from_config(item, self.registry, self.kind) for item in value)

    def plain(self, value: Any) -> Any:
        """Return the shortest words, separated by commas."""
        return ",".join(map(spec.to_text, value))


class Words(Reader):
    """Read texts separated by commas, or a JSON list."""

    metavar = "LIST"
    separator = ","

    def text(self, word: str) -> tuple[str, ...]:
        """Accept words separated by commas."""
        return tuple(word.split(self.separator))

    def json(self, value: Any) -> tuple[str, ...]:
        """Accept the text of the command line, or a list of texts."""
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid("a list of texts", value)
        return tuple(value)

    def plain(self, value: Any) -> Any:
        """Return a list."""
        return list(value)


class KeyValues(Words):
    """Read key=value, from an option that may be given several times, or from a JSON list."""

    metavar = "KEY=VALUE"
    repeatable = True

    def text(self, word: Any) -> tuple[str, ...]:
        """Accept a list of words, or one."""
        words = tuple(word) if isinstance(word, list) else (word,)
        for each in words:
            if not each.partition("=")[0] or "=" not in each:
                raise invalid("key=value", each)
        return words

    def json(self, value: Any) -> tuple[str, ...]:
        """Accept a list of texts, or one."""
        return self.text(list(super().json(value if isinstance(value, list) else [value])))


class IntegerList(Reader):
    """Read integers above 0, separated by commas or "x", or a JSON list."""

    def __init__(self, separator: str, expected: str, metavar: str, lengths: tuple[int, ...] = ()):
        self.separator, self.expected, self.metavar, self.lengths = separator, expected, metavar, lengths

    def text(self, word: str) -> Any:
        """Accept numbers separated by the separator."""
        try:
            sizes = tuple(int(part) for part in word.split(self.separator))
        except ValueError:
            raise invalid(self.expected, word) from None
        return self._fitting(sizes, word)

    def json(self, value: Any) -> Any:
        """Accept a list of numbers, one number, or the text of the command line."""
        if isinstance(value, str):
            return self.text(value)
        sizes = value if isinstance(value, list) else [value]
        if not all(isinstance(size, int) and not isinstance(size, bool) for size in sizes):
            raise invalid(self.expected, value)
        return self._fitting(tuple(sizes), value)

    def plain(self, value: Any) -> Any:
        """Return a list."""
        return list(value)

    def _fitting(self, sizes: tuple[int, ...], found: Any) -> tuple[int, ...]:
        if not sizes or any(not 0 < size <= sys.maxsize for size in sizes):
            raise invalid(self.expected, found)
        if self.lengths and len(sizes) not in self.lengths:
            raise invalid(self.expected, found)
        return sizes
