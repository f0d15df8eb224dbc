"""Class names short enough for a picture, and formatted numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager


def percent(share: float, digits: int = 1) -> str:
    """Return 0.9703 as '97.0 %'."""
    return f"{100 * share:.{digits}f} %"


def short(value: float) -> str:
    """Return 0.10234567 as '0.1023'."""
    return f"{value:.4g}"


def plain(text: str, limit: int) -> str:
    """Return one line of at most `limit` printable characters; cut the middle, as names often differ at the end."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def class_labels(names: Sequence[str] | None, classes: int, limit: int) -> list[str]:
    """Return a label for each class: its shortened name, or its number if it has none that can be drawn."""
    if names is None:
        return [str(c) for c in range(classes)]
    labels = [plain(name, limit) for name in names]
    if len(set(labels)) < len(labels):  # they differed in the part that was cut
        labels = [plain(f"{c} {name}", limit) for c, name in enumerate(names)]
    return [label if label and can_draw(label) else str(c) for c, label in enumerate(labels)]


def can_draw(text: str) -> bool:
    """Return whether the font has every character of a text; for others it draws empty boxes and warns."""
    return all(ord(c) in _characters() for c in text)


@cache
def _characters() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap())
