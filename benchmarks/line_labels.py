"""Curves with their names at their right ends, instead of a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SPACING = 15.0  # points between the middles of two names
LEFT = 8.0  # points between the end of a curve and its name


def label_ends(axes: Any, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write each name in its color at the right of its end (x, y); names that would overlap are moved apart.

    The limits of the axes must be final.
    """
    scale = 72 / axes.figure.dpi
    points = {name: axes.transData.transform((x, y)) * scale for name, (x, y, _) in ends.items()}
    names = sorted(points, key=lambda name: points[name][1])
    heights = spread([points[name][1] for name in names])
    for name, height in zip(names, heights, strict=True):
        x, y, color = ends[name]
        axes.annotate(
            name,
            xy=(x, y),
            xytext=(LEFT, height - points[name][1]),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=11,
            annotation_clip=False,
        )


def spread(heights: Sequence[float]) -> list[float]:
    """Move sorted heights apart, each group about its own middle, until neighbors are `SPACING` from each other."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _lowest(groups[-1]) < _highest(groups[-2]) + SPACING:
            last = groups.pop()
            groups[-1] += last
    return [_lowest(group) + SPACING * number for group in groups for number in range(len(group))]


def _lowest(group: list[float]) -> float:
    return float(np.mean(group)) - SPACING * (len(group) - 1) / 2


def _highest(group: list[float]) -> float:
    return float(np.mean(group)) + SPACING * (len(group) - 1) / 2
