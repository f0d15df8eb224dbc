"""Read the value of an option from the command line or from JSON, and write it back as plain JSON.

A reader has three methods: `text(word)` and `json(value)`, which raise ValueError("expected ..., found ..."), and
`plain(value)`. A dataclass whose fields are made by `option` defines the options of the command line, the keys of a
configuration file, and their checks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from nn.core import files, spec
from nn.core.constraints import AT_LEAST_ONE, Interval, OneOf, shown


def option(
    default: Any,
    reader: Any,
    help: str,
    *,
    group: str | None = None,
    after: str = "",
    affects_results: bool = True,
    earlier: Any = None,
) -> Any:
    """Return a dataclass field that a command line and a configuration file may set.

    --help lists it in `group`, below the option named `after`, or else in the order of the fields. Without a group it
    is a key of configuration files alone. OUTPUT/config.json keeps the options that affect the results. An option that
    is newer than version 0.1.0 is not in the config.json of an earlier run: `earlier` is the value that such a run had.
    """
    metadata = {
        "reader": reader,
        "help": help,
        "group": group,
        "after": after,
        "affects_results": affects_results,
        "earlier": earlier,
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


def invalid(expected: object, found: Any) -> ValueError:
    """Return the error that every reader raises."""
    return ValueError(f"expected {expected}, found {shown(found)}")


class Reader:
    """Read any text. The other readers override what differs.

    A reader is the constraint of its option (nn.core.constraints): `value in reader`, and its words by `str`.
    """

    metavar = "TEXT"

    def text(self, word: str) -> Any:
        """Convert a word of the command line to a value."""
        return self.checked(word, word)

    def json(self, value: Any) -> Any:
        """Convert a JSON value to a value."""
        return self.text(value) if isinstance(value, str) else self.checked(value, value)

    def plain(self, value: Any) -> Any:
        """Convert a value to JSON that `json` reads back."""
        return value

    def checked(self, value: Any, found: Any) -> Any:
        """Return a value that the option may have. Raises ValueError for another one, which came from `found`."""
        if value not in self:
            raise invalid(self, found)
        return value

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str)

    def __str__(self) -> str:
        return "a text"


class Sentence(Reader):
    """A text of one line: line ends and runs of blanks become one blank."""

    def text(self, word: str) -> str:
        """Return the words of the text with one blank between them."""
        return " ".join(word.split())


class Place(Reader):
    """Read a path or URI. The empty path is refused: programs differ in whether it is the current folder."""

    def __init__(self, positional: bool = True, metavar: str = "PATH"):
        self.positional, self.metavar = positional, metavar  # not positional: the value of an option

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and bool(value) and "\0" not in value

    def __str__(self) -> str:
        return "a path"


class Flag(Reader):
    """Read a flag: present or not on the command line, true or false in JSON."""

    metavar = ""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, bool)

    def __str__(self) -> str:
        return "true or false"


class Choice(Reader):
    """Read one of several names."""

    def __init__(self, names: Iterable[str], metavar: str = "NAME"):
        self.names, self.metavar = OneOf(tuple(names)), metavar

    def __contains__(self, value: object) -> bool:
        return value in self.names

    def __str__(self) -> str:
        return str(self.names)


class Number(Reader):
    """Read a number in an interval; `expected` replaces the interval's words."""

    def __init__(self, interval: Interval, metavar: str = "N", expected: str = ""):
        self.interval, self.metavar, self.expected = interval, metavar, expected or str(interval)

    def text(self, word: str) -> Any:
        """Accept any text that `int` or `float` reads."""
        try:
            value = self.interval.kind(word)
        except ValueError:
            raise invalid(self, word) from None
        return self.checked(value, word)

    def json(self, value: Any) -> Any:
        """Accept a JSON number."""
        return self.interval.kind(self.checked(value, value))

    def __contains__(self, value: object) -> bool:
        return value in self.interval

    def __str__(self) -> str:
        return self.expected


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

    def __contains__(self, value: object) -> bool:
        return spec.is_registered(value, self.registry)

    def __str__(self) -> str:
        return f"{spec.with_article(self.kind)}: {', '.join(self.registry)}"


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

    def __contains__(self, value: object) -> bool:
        return isinstance(value, tuple) and bool(value) and all(map(super().__contains__, value))

    def __str__(self) -> str:
        return f"a tuple of {self.kind}s: {', '.join(self.registry)}"


class Words(Reader):
    """Read strings separated by commas, or a JSON list."""

    metavar = "LIST"

    def text(self, word: str) -> Any:
        """Accept words separated by commas."""
        return self.checked(tuple(word.split(",")), word)

    def json(self, value: Any) -> Any:
        """Accept the text of the command line, or a list of strings."""
        if isinstance(value, str):
            return self.text(value)
        return self.checked(tuple(value) if isinstance(value, list) else value, value)

    def plain(self, value: Any) -> Any:
        """Return a list."""
        return list(value)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, tuple) and all(isinstance(word, str) for word in value)

    def __str__(self) -> str:
        return "a list of strings"


class KeyValues(Words):
    """Read key=value, from an option that may be given several times, or from a JSON list."""

    metavar = "KEY=VALUE"
    repeatable = True

    def text(self, word: Any) -> Any:
        """Accept a list of words, or one."""
        return self.checked(tuple(word) if isinstance(word, list) else (word,), word)

    def __contains__(self, value: object) -> bool:
        return super().__contains__(value) and all(word.find("=") > 0 for word in value)  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return "key=value"


class IntegerList(Reader):
    """Read integers above 0, separated by commas or "x", or a JSON list."""

    def __init__(self, separator: str, expected: str, metavar: str, lengths: tuple[int, ...] = ()):
        self.separator, self.expected, self.metavar, self.lengths = separator, expected, metavar, lengths

    def text(self, word: str) -> Any:
        """Accept numbers separated by the separator."""
        try:
            sizes = tuple(int(part) for part in word.split(self.separator))
        except ValueError:
            raise invalid(self, word) from None
        return self.checked(sizes, word)

    def json(self, value: Any) -> Any:
        """Accept a list of numbers, one number, or the text of the command line."""
        if isinstance(value, str):
            return self.text(value)
        return self.checked(tuple(value) if isinstance(value, list) else (value,), value)

    def plain(self, value: Any) -> Any:
        """Return a list."""
        return list(value)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, tuple) or not value or not all(size in AT_LEAST_ONE for size in value):
            return False
        return not self.lengths or len(value) in self.lengths

    def __str__(self) -> str:
        return self.expected
