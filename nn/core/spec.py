"""Say a layer, a loss, an optimiser or a schedule in one word: name[:value][:field=value]...

dense:64    conv2d:16x5:padding=same    dropout:0.5    adamw:weight_decay=0.1    residual(dense:64,relu,dense:64)

Each is a frozen dataclass in a registry, name -> class. Its `positional` fields may stand in the first value, split by
"x"; every other field by its name. The same things as JSON are a word or {"name": ..., field: value}.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any

Registry = Mapping[str, type]
MAX_DEPTH = 20  # of parentheses; far beyond any network, far below Python's recursion limit

_BATCH = "a batch's statistics do not survive rows spread over machines; use layernorm"
# Names that people look for here in vain: kind -> name -> what to take instead.
ABSENT = {
    "layer": dict.fromkeys(("batchnorm", "batchnorm2d", "batch_norm", "batchnormalization"), _BATCH),
}


def parse(text: str, registry: Registry, kind: str) -> Any:
    """Build what one word says; ValueError names the word, what is wrong and what is known."""
    text = _on_one_line(text)
    head, inner, tail = _pieces(text)
    name, *values = [*head.split(":"), *tail.split(":")[1:]] if tail else head.split(":")
    cls = _find(name, registry, kind)
    fields: dict[str, Any] = {}
    if inner is not None:
        if cls.positional != ("layers",):
            raise ValueError(f"{text}: {name} takes no parentheses")
        fields["layers"] = parse_list(inner, registry, kind)
    elif values and "=" not in values[0]:
        fields.update(_positional(text, cls, values.pop(0)))
    for value in values:
        field, equals, content = value.partition("=")
        if not equals:
            raise ValueError(f"{text}: expected field=value, found {value!r}")
        if field in fields:
            raise ValueError(f"{text}: {field} is said twice")
        fields[field] = _converted(text, cls, field, content)
    return _built(text, cls, fields)


def parse_list(text: str, registry: Registry, kind: str) -> tuple:
    """Build what a list of words says; commas part them."""
    return tuple(parse(word, registry, kind) for word in split(text))


def split(text: str) -> list[str]:
    """Cut at the commas that stand outside parentheses; ValueError where these do not close or a word is empty."""
    text = _on_one_line(text)
    words, depth, deepest, start = [], 0, 0, 0
    for at, character in enumerate(text + ","):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
        if character == "," and depth == 0:
            words.append(text[start:at].strip())
            start = at + 1
        deepest = max(deepest, depth)
    if depth:
        raise ValueError(f"{_shown(text)}: the parentheses do not match")
    if deepest > MAX_DEPTH:
        raise ValueError(f"{_shown(text)}: expected parentheses at most {MAX_DEPTH} deep, found {deepest}")
    if "" in words:
        raise ValueError(f"{text or 'nothing'}: expected words between commas, found an empty one")
    return words


def to_text(thing: Any, without: tuple[str, ...] = ()) -> str:
    """The word that `parse` turns into the same thing; fields at their defaults are left out.

    Fields named in `without` are left out too, where a shorter word is wanted for people.
    """
    names = [name for name in _names(thing) if name not in without]
    values = {name: getattr(thing, name) for name in names}
    if thing.positional == ("layers",):
        inner = ",".join(to_text(layer, without) for layer in values.pop("layers"))
        return f"{thing.name}({inner})" + _named(thing, values)
    # From the first one that is left out, the others go by name: a value's place tells which field it is.
    leading = list(itertools.takewhile(_said(thing).__contains__, thing.positional))
    first = "x".join(_text(values.pop(name)) for name in leading)
    return thing.name + (f":{first}" if first else "") + _named(thing, values)


def config(thing: Any) -> dict[str, Any]:
    """The same as plain JSON values: its name and all its fields."""
    fields = {field.name: _plain(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    return {"name": thing.name, **fields}


def from_config(value: Any, registry: Registry, kind: str, depth: int = 0) -> Any:
    """Build what `config` described, or what a word says; `depth` counts the blocks around it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"expected layers at most {MAX_DEPTH} deep, found more")
    if isinstance(value, str):
        return parse(value, registry, kind)
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(
            f'expected {_article(kind)} {kind} as a word or as {{"name": ...}}, found {_shown(value)}'
        )
    fields = dict(value)
    cls = _find(fields.pop("name"), registry, kind)
    if "layers" in fields and cls.positional == ("layers",):
        if not isinstance(fields["layers"], list):
            raise ValueError(f"{cls.name} layers: expected a list, found {_shown(fields['layers'])}")
        fields["layers"] = tuple(from_config(each, registry, kind, depth + 1) for each in fields["layers"])
    for name, content in fields.items():
        if name == "layers" and cls.positional == ("layers",):
            continue
        fields[name] = _checked(f"{kind} {cls.name}", cls, name, content)
    return _built(f"{kind} {cls.name}", cls, fields)


# ---- from text ----


def _pieces(text: str) -> tuple[str, str | None, str]:
    """residual(a,b):c=1 -> "residual", "a,b", ":c=1"; without parentheses all of it is the head."""
    if "(" not in text:
        return text, None, ""
    head, _, rest = text.partition("(")
    inner, close, tail = rest.rpartition(")")
    if not close or (tail and not tail.startswith(":")):
        raise ValueError(f"{text}: the parentheses do not match")
    return head, inner, tail


def _find(name: str, registry: Registry, kind: str) -> Any:
    if name not in registry:
        absent = ABSENT.get(kind, {}).get(name.lower())
        why = f": {absent}" if absent else ""
        raise ValueError(f"unknown {kind} {_shown(name)}{why}; known: {', '.join(registry)}")
    return registry[name]


def _positional(text: str, cls: Any, value: str) -> dict[str, Any]:
    if not cls.positional or cls.positional == ("layers",):
        raise ValueError(f"{text}: expected {usage(cls)}")
    parts = value.split("x", len(cls.positional) - 1)
    pairs = zip(cls.positional, parts, strict=False)
    return {name: _converted(text, cls, name, part) for name, part in pairs}


def _converted(text: str, cls: Any, name: str, content: str) -> Any:
    hints = typing.get_type_hints(cls)
    if name not in _names(cls):
        raise ValueError(f"{text}: expected {usage(cls)}")
    for accepted, convert in _READERS:
        if _accepts(hints[name], accepted):
            try:
                return convert(content)
            except ValueError:
                continue
    raise ValueError(f"{text}: expected {_described(hints[name])} for {name}, found {content!r}")


def _numbers(content: str) -> tuple[int, ...]:
    return tuple(int(part) for part in content.split("x"))


def _switch(content: str) -> bool:
    if content not in ("true", "false"):
        raise ValueError
    return content == "true"


_READERS: tuple[tuple[type, Any], ...] = (
    (bool, _switch),
    (int, int),
    (float, float),
    (tuple, _numbers),
    (str, str),
)


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"


def usage(cls: Any) -> str:
    """How the word is written, as in "conv2d:FILTERSxKERNEL[:stride=...]"."""
    if cls.positional == ("layers",):
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
    needed = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.name not in fields
    ]
    if needed:
        raise ValueError(f"{text}: expected {usage(cls)}")
    try:
        return cls(**fields)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def _checked(text: str, cls: Any, name: str, content: Any) -> Any:
    """A JSON value that has the field's type; a whole number will do for a float, a list of them for a tuple."""
    if name not in _names(cls):
        known = ", ".join(_names(cls)) or "none"
        raise ValueError(f"{text}: takes the fields {known}; found {name!r}")
    hint = typing.get_type_hints(cls)[name]
    if type(content) is int and _accepts(hint, float) and not _accepts(hint, int):
        with contextlib.suppress(OverflowError):
            content = float(content)
    elif isinstance(content, list) and all(type(each) is int for each in content):
        content = tuple(content)
    if not _accepts(hint, type(content)):
        raise ValueError(f"{text}: expected {_described(hint)} for {name}, found {_shown(content)}")
    return content


def _accepts(hint: Any, kind: type) -> bool:
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    return any((typing.get_origin(option) or option) is kind for option in options)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _described(hint: Any) -> str:
    said = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        tuple: "numbers as 5x3",
        str: "a name",
    }
    return " or ".join(text for kind, text in said.items() if _accepts(hint, kind))


# ---- to text ----


def _names(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _said(thing: Any) -> list[str]:
    """The fields that a word must say: those without a default, or away from it."""
    return [field.name for field in dataclasses.fields(thing) if getattr(thing, field.name) != field.default]


def _named(thing: Any, values: dict[str, Any]) -> str:
    return "".join(f":{name}={_text(value)}" for name, value in values.items() if name in _said(thing))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "x".join(map(str, value[:1] if len(set(value)) == 1 else value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return config(value) if dataclasses.is_dataclass(value) else value


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


_SHORT = reprlib.Repr()  # cuts what is long or deep
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


def _shown(value: Any) -> str:
    return _SHORT.repr(value)
