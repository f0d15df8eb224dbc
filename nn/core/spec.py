"""Write a layer, loss, optimizer or schedule as one word: name[:value][:field=value]...

dense:64    conv2d:16x5:padding=same    dropout:0.5    adamw:weight_decay=0.1    residual(dense:64,relu,dense:64)

Each is a frozen dataclass in a registry, name -> class. The first value gives its `positional` fields, separated by
"x"; all other fields are given by name. In JSON the same is a word or {"name": ..., field: value}.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import types
import typing
from collections.abc import Mapping
from typing import Any

from nn.core.constraints import constraints_of, shown

Registry = Mapping[str, type]
MAX_DEPTH = 20  # of parentheses: more than any network needs, far below Python's recursion limit

_BATCH_NORM = "a batch's statistics do not survive rows spread over machines; use layernorm"
# Well-known names that are left out on purpose: kind -> name -> the reason and what to use instead.
UNSUPPORTED = {
    "layer": dict.fromkeys(("batchnorm", "batchnorm2d", "batch_norm", "batchnormalization"), _BATCH_NORM),
}


def parse(text: str, registry: Registry, kind: str) -> Any:
    """Build the object that a word describes. Raises ValueError with the word, the reason and the known names."""
    text = _on_one_line(text)
    head, inner, tail = _pieces(text)
    name, *values = [*head.split(":"), *tail.split(":")[1:]] if tail else head.split(":")
    cls = _find(name, registry, kind)
    fields: dict[str, Any] = {}
    if inner is not None:
        if not _is_block(cls):
            raise ValueError(f"{text}: {name} takes no parentheses")
        fields["layers"] = parse_list(inner, registry, kind)
    elif values and "=" not in values[0]:
        fields.update(_positional(text, cls, values.pop(0)))
    for value in values:
        field, equals, content = value.partition("=")
        if not equals:
            raise ValueError(f"{text}: expected field=value, found {value!r}")
        if field in fields:
            raise ValueError(f"{text}: {field} is given twice")
        fields[field] = _converted(text, cls, field, content)
    return _built(text, cls, fields)


def parse_list(text: str, registry: Registry, kind: str) -> tuple:
    """Build the objects that a list of words describes, separated by commas."""
    return tuple(parse(word, registry, kind) for word in split(text))


def split(text: str) -> list[str]:
    """Split at the commas outside parentheses. Raises ValueError for open parentheses and for an empty word."""
    text = _on_one_line(text)
    words, depth, deepest, start = [], 0, 0, 0
    for index, character in enumerate(text + ","):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == "," and depth == 0:
            words.append(text[start:index].strip())
            start = index + 1
        deepest = max(deepest, depth)
    if depth:
        raise ValueError(f"{shown(text)}: the parentheses do not match")
    if deepest > MAX_DEPTH:
        raise ValueError(f"{shown(text)}: expected parentheses at most {MAX_DEPTH} deep, found {deepest}")
    if "" in words:
        raise ValueError(f"{text or 'nothing'}: expected words between commas, found an empty one")
    return words


def to_text(item: Any, without: tuple[str, ...] = ()) -> str:
    """Write an object as the shortest word that `parse` reads back; fields at their defaults are left out.

    The fields named in `without` are left out too: such a word is for people, not for `parse`.
    """
    names = [name for name in _names(item) if name not in without]
    values = {name: getattr(item, name) for name in names}
    if _is_block(item):
        inner = ",".join(to_text(layer, without) for layer in values.pop("layers"))
        return f"{item.name}({inner})" + _named(item, values)
    # Positions say which field a value is for, so after the first default the fields are given by name.
    changed = _changed(item)
    leading = list(itertools.takewhile(lambda name: name in changed and name in values, item.positional))
    first = "x".join(_text(values.pop(name)) for name in leading)
    return item.name + (f":{first}" if first else "") + _named(item, values)


def config(item: Any) -> dict[str, Any]:
    """Return an object as plain JSON values: its name and all its fields."""
    fields = {field.name: _plain(getattr(item, field.name)) for field in dataclasses.fields(item)}
    return {"name": item.name, **fields}


def from_config(value: Any, registry: Registry, kind: str, depth: int = 0) -> Any:
    """Build the object that `config` described, or that a word describes; `depth` counts the enclosing blocks.

    Raises ValueError with the reason.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"expected layers at most {MAX_DEPTH} deep, found more")
    if isinstance(value, str):
        return parse(value, registry, kind)
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(
            f'expected {with_article(kind)} as a word or as {{"name": ...}}, found {shown(value)}'
        )
    fields = dict(value)
    cls = _find(fields.pop("name"), registry, kind)
    if "layers" in fields and _is_block(cls):
        if not isinstance(fields["layers"], list):
            raise ValueError(f"{cls.name} layers: expected a list, found {shown(fields['layers'])}")
        fields["layers"] = tuple(from_config(layer, registry, kind, depth + 1) for layer in fields["layers"])
    for name, content in fields.items():
        if name == "layers" and _is_block(cls):
            continue
        fields[name] = _checked(f"{kind} {cls.name}", cls, name, content)
    return _built(f"{kind} {cls.name}", cls, fields)


def is_registered(item: Any, registry: Registry, depth: int = 0) -> bool:
    """Return whether the class of an object, and those of all in a block, are in the registry under their names."""
    if type(item) not in registry.values() or depth > MAX_DEPTH:
        return False
    return not _is_block(item) or all(is_registered(inner, registry, depth + 1) for inner in item.layers)


# ---- from text ----


def _is_block(cls: Any) -> bool:
    """Return whether a class is a block of layers, which are written in parentheses."""
    return cls.positional == ("layers",)


def _pieces(text: str) -> tuple[str, str | None, str]:
    """Split residual(a,b):c=1 into "residual", "a,b" and ":c=1"; without parentheses all is the first part."""
    if "(" not in text:
        return text, None, ""
    head, _, rest = text.partition("(")
    inner, close, tail = rest.rpartition(")")
    if not close or (tail and not tail.startswith(":")):
        raise ValueError(f"{text}: the parentheses do not match")
    return head, inner, tail


def _find(name: str, registry: Registry, kind: str) -> Any:
    if name not in registry:
        reason = UNSUPPORTED.get(kind, {}).get(name.lower())
        why = f": {reason}" if reason else ""
        raise ValueError(f"unknown {kind} {shown(name)}{why}; known: {', '.join(registry)}")
    return registry[name]


def _positional(text: str, cls: Any, value: str) -> dict[str, Any]:
    if not cls.positional or _is_block(cls):
        raise ValueError(f"{text}: expected {signature(cls)}")
    parts = value.split("x", len(cls.positional) - 1)
    pairs = zip(cls.positional, parts, strict=False)
    return {name: _converted(text, cls, name, part) for name, part in pairs}


def _converted(text: str, cls: Any, name: str, content: str) -> Any:
    hints = typing.get_type_hints(cls)
    if name not in _names(cls):
        raise ValueError(f"{text}: expected {signature(cls)}")
    for kind, convert, _ in _TYPES:
        if _accepts(hints[name], kind):
            try:
                return convert(content)
            except ValueError:
                continue
    raise ValueError(f"{text}: expected {_expected(cls, name)} for {name}, found {content!r}")


def _integers(content: str) -> tuple[int, ...]:
    return tuple(int(part) for part in content.split("x"))


def _flag(content: str) -> bool:
    if content not in ("true", "false"):
        raise ValueError
    return content == "true"


# The type of a field, how its text is read, and its values in words.
_TYPES: tuple[tuple[type, Any, str], ...] = (
    (bool, _flag, "true or false"),
    (int, int, "a whole number"),
    (float, float, "a number"),
    (tuple, _integers, "numbers as 5x3"),
    (str, str, "a name"),
)


def with_article(kind: str) -> str:
    """Return a kind with its article: a layer, an optimizer."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def signature(cls: Any) -> str:
    """Return how the word is written, as in "conv2d:FILTERSxKERNEL[:stride=...]"."""
    if _is_block(cls):
        return f"{cls.name}(LAYER,LAYER,...)"
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    first = "x".join(name.upper() for name in cls.positional)
    named = "".join(
        f"[:{name}={'...' if defaults[name] is None else _text(defaults[name])}]"
        for name in _names(cls)
        if name not in cls.positional
    )
    if first and defaults[cls.positional[0]] is not dataclasses.MISSING:
        return f"{cls.name}[:{first}={_text(defaults[cls.positional[0]])}]{named}"
    return f"{cls.name}{':' + first if first else ''}{named}"


# ---- building and checking ----


def _built(text: str, cls: Any, fields: dict[str, Any]) -> Any:
    required = (field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING)
    if any(name not in fields for name in required):
        raise ValueError(f"{text}: expected {signature(cls)}")
    try:
        return cls(**fields)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def _checked(text: str, cls: Any, name: str, content: Any) -> Any:
    """Check the type of a JSON value; convert an integer for a float field, a list of integers for a tuple."""
    if name not in _names(cls):
        known = ", ".join(_names(cls)) or "none"
        raise ValueError(f"{text}: takes the fields {known}; found {name!r}")
    hint = typing.get_type_hints(cls)[name]
    if type(content) is int and _accepts(hint, float) and not _accepts(hint, int):
        with contextlib.suppress(OverflowError):
            content = float(content)
    elif isinstance(content, list) and all(type(number) is int for number in content):
        content = tuple(content)
    if not _accepts(hint, type(content)):
        raise ValueError(f"{text}: expected {_expected(cls, name)} for {name}, found {shown(content)}")
    return content


def _accepts(hint: Any, kind: type) -> bool:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    options = typing.get_args(hint) if is_union else (hint,)
    return any((typing.get_origin(option) or option) is kind for option in options)


def _expected(cls: Any, name: str) -> str:
    """Return which values a field may have, in words."""
    if name in constraints_of(cls):
        return str(constraints_of(cls)[name])
    hint = typing.get_type_hints(cls)[name]
    return " or ".join(words for kind, _, words in _TYPES if _accepts(hint, kind))


# ---- to text ----


def _names(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _changed(item: Any) -> list[str]:
    """Return the names of the fields that differ from their defaults or have none."""
    return [field.name for field in dataclasses.fields(item) if getattr(item, field.name) != field.default]


def _named(item: Any, values: dict[str, Any]) -> str:
    return "".join(f":{name}={_text(value)}" for name, value in values.items() if name in _changed(item))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "x".join(map(str, value[:1] if len(set(value)) == 1 else value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return config(value) if dataclasses.is_dataclass(value) else value


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
