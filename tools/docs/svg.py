"""Small pictures of functions as SVG: the same text from the same numbers, on every machine.

Colors are shades that can be seen on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 280, 150, 24
LINE, GRID, TEXT = "#2f7fd1", "#8a8f98", "#7a808a"


class Axis(NamedTuple):
    """The ends of an axis, and its name."""

    low: float
    high: float
    name: str = ""

    def at(self, value: float, first: float, last: float) -> float:
        """Return the place of a value between the pixels of both ends."""
        return first + (last - first) * (value - self.low) / (self.high - self.low)


def curve(points: Sequence[tuple[float, float]], x: Axis, y: Axis, title: str, description: str) -> str:
    """Return a picture of a curve with both axes; `description` is read aloud by screen readers."""
    left, right, top, bottom = MARGIN, WIDTH - MARGIN, MARGIN, HEIGHT - MARGIN
    across = bottom if not y.low < 0 < y.high else y.at(0, bottom, top)
    down = left if not x.low < 0 < x.high else x.at(0, left, right)
    path = " ".join(f"{x.at(a, left, right):.1f},{y.at(b, bottom, top):.1f}" for a, b in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="11" fill="{TEXT}">',
        f"<title>{title}: {description}</title>",
        f'<path d="M{left} {across:.1f}H{right}M{down:.1f} {bottom}V{top}" stroke="{GRID}" fill="none"/>',
        f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>',
        _text(left, bottom + 14, f"{x.low:g}", "start"),
        _text(right, bottom + 14, f"{x.high:g}{x.name and ' '}{x.name}", "end"),
        _text(down + 4, top - 6, f"{y.high:g}{y.name and ' '}{y.name}", "start"),
        _text(right, bottom - 4 if across != bottom else bottom + 1000, f"{y.low:g}", "end"),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    if y > HEIGHT:
        return ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
