"""Names of classes that fit where they are drawn, and numbers as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from matplotlib import font_manager


def percent(share: float, digits: int = 1) -> str:
    """0.9703 -> '97.0 %'."""
    return f"{100 * share:.{digits}f} %"


def short(value: float) -> str:
    """0.10234567 -> '0.1023'."""
    return f"{value:.4g}"


def plain(text: str, limit: int) -> str:
    """One line of printable characters, at most `limit`: the middle goes, as ends tell names apart."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def class_labels(names: Sequence[str] | None, classes: int, limit: int) -> list[str]:
    """A label for each class: its shortened name, or its number where it has none that can be drawn."""
    if names is None:
        return [str(c) for c in range(classes)]
    labels = [plain(name, limit) for name in names]
    if len(set(labels)) < len(labels):  # what told them apart was cut out
        labels = [plain(f"{c} {name}", limit) for c, name in enumerate(names)]
    return [label if label and can_draw(label) else str(c) for c, label in enumerate(labels)]


def can_draw(text: str) -> bool:
    """Whether the font has every character; it would print empty boxes, and a warning, otherwise."""
    return all(ord(c) in _characters() for c in text)


@cache
def _characters() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap())
