"""Center lines of digits: the glyphs of fonts, thinned to lines.

A pen line of any width around a center line looks handwritten, the outline of a font looks printed. Each stroke is
stored as a distance field, d(x, y) = distance of the point from the line, so that drawing is a look-up and a
threshold. The fonts are those that matplotlib ships.
"""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

import numpy as np

DETAIL = 3  # points of a field per pixel of a finished image
SIDE = 28 * DETAIL  # of a field
BOX = 20 * DETAIL  # the longer side of a digit, as in MNIST
FOOT = 10  # rows at the bottom of a 1 in which its foot lies

# Every matplotlib from 3.7 on ships these: the same seed draws the same digits with each.
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralItalic",
    "STIXGeneralBol",
    "STIXGeneralBolIta",
    "cmr10",
    "cmb10",
    "cmss10",
    "cmtt10",
    "cmmi10",
)
DOTTED_ZERO = ("DejaVuSansMono", 0)  # its dot would be a second stroke


class Strokes(NamedTuple):
    """All center lines: t of them."""

    fields: np.ndarray  # (t, SIDE, SIDE) float32, distances in pixels of a finished image
    centers: np.ndarray  # (t, 2) float32, x and y of the line's center of mass, in points of the field
    of_digit: tuple[np.ndarray, ...]  # for each digit, the indices of its center lines


@functools.cache
def load_strokes() -> Strokes:
    """Return the center lines of every digit in every font; made in about a second, once per process."""
    lines = thin(_glyphs())  # (fonts, 10, SIDE, SIDE) bool
    # Most people write a 1 without a foot, many as a single stroke; no font does.
    for font in range(len(FONTS)):
        lines[font, 1] = (lines[font, 1], _footless(lines[font, 1]), _stick(lines[font, 1]))[font % 3]
    keys = [(font, digit) for font in FONTS for digit in range(10)]
    selected = [index for index, key in enumerate(keys) if key != DOTTED_ZERO]
    lines = lines.reshape(-1, SIDE, SIDE)[selected]
    digits = np.array([keys[index][1] for index in selected])
    return Strokes(
        fields=distance(lines) / np.float32(DETAIL),
        centers=_centers(lines),
        of_digit=tuple(np.flatnonzero(digits == digit) for digit in range(10)),
    )


def _glyphs() -> np.ndarray:
    """Draw every digit in every font, each in a square of its own: (fonts, 10, SIDE, SIDE) bool."""
    # Imported here: it takes a second, and published data sets do not need it.
    from matplotlib import get_data_path
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch

    figure = Figure(figsize=(10, len(FONTS)), dpi=SIDE)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 10 * SIDE), ylim=(len(FONTS) * SIDE, 0))
    axes.axis("off")
    for row, font in enumerate(FONTS):
        face = FontProperties(fname=os.path.join(get_data_path(), "fonts", "ttf", f"{font}.ttf"))
        for digit in range(10):
            outline = _outline(face, digit, x=(digit + 0.5) * SIDE, y=(row + 0.5) * SIDE)
            axes.add_patch(PathPatch(outline, color="black", linewidth=0))
    canvas.draw()
    dark = np.asarray(canvas.buffer_rgba())[..., 0] < 128
    return dark.reshape(len(FONTS), SIDE, 10, SIDE).transpose(0, 2, 1, 3)


def _outline(face, digit: int, x: float, y: float):
    """Return the outline of a digit that fits the box, centered at (x, y), y pointing down."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    path = TextPath((0, 0), str(digit), size=100, prop=face)
    extents = path.get_extents()
    scale = BOX / max(extents.width, extents.height)
    to_origin = Affine2D().translate(-(extents.x0 + extents.x1) / 2, -(extents.y0 + extents.y1) / 2)
    return path.transformed(to_origin.scale(scale, -scale).translate(x, y))


def _footless(one: np.ndarray) -> np.ndarray:
    """Remove the foot of a 1, (SIDE, SIDE)."""
    one = one.copy()
    one[(SIDE + BOX) // 2 - FOOT :] = False
    return one


def _stick(one: np.ndarray) -> np.ndarray:
    """Keep only the stem of a 1: the rightmost point of the line in each row above the foot."""
    one = _footless(one)
    stem = np.zeros_like(one)
    rows = np.flatnonzero(one.any(axis=1))
    stem[rows, SIDE - 1 - one[rows, ::-1].argmax(axis=1)] = True
    return stem


def thin(shapes: np.ndarray) -> np.ndarray:
    """Thin shapes (..., h, w) bool to lines one point wide that join and branch as the shapes do.

    Source: T. Y. Zhang and C. Y. Suen, A fast parallel algorithm for thinning digital patterns, 1984.
    """
    shapes = shapes.copy()
    while True:
        removed = 0
        # Neighbors go N, NE, E, SE, S, SW, W, NW. The two steps peel the south-east and the north-west.
        for corners in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            around = _neighbors(shapes)  # (8, ..., h, w)
            count = around.sum(axis=0)
            rises = (~around & np.roll(around, -1, axis=0)).sum(axis=0)
            peel = shapes & (count >= 2) & (count <= 6) & (rises == 1)
            for corner in corners:
                peel &= ~around[list(corner)].all(axis=0)
            shapes &= ~peel
            removed += int(peel.sum())
        if removed == 0:
            return shapes


def _neighbors(shapes: np.ndarray) -> np.ndarray:
    """Return the eight neighbors of every point, clockwise from the north; points outside are False."""
    height, width = shapes.shape[-2:]
    padded = np.pad(shapes, [(0, 0)] * (shapes.ndim - 2) + [(1, 1), (1, 1)])
    steps = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    return np.stack([padded[..., 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in steps])


def distance(lines: np.ndarray) -> np.ndarray:
    """Compute the distance of every point to the nearest point of the line, (t, n, n) bool -> (t, n, n) float32.

    The squared distance is a minimum over rows of a minimum over columns, so each axis is computed separately.
    """
    steps = np.arange(lines.shape[-1], dtype=np.float32)
    squares = (steps[:, None] - steps) ** 2  # (n, n)
    far = np.float32(2 * lines.shape[-1] ** 2)
    fields = np.where(lines, np.float32(0), far)
    for field in fields:  # one at a time: the minimum is taken over an (n, n, n) array
        columns = (field[None] + squares[:, :, None]).min(axis=1)
        field[:] = (columns[:, None] + squares[None]).min(axis=2)
    return np.sqrt(fields)


def _centers(lines: np.ndarray) -> np.ndarray:
    """Return x and y of each line's center of mass, (t, 2)."""
    weights = lines.sum(axis=(1, 2))
    positions = np.arange(lines.shape[-1])
    x = (lines.sum(axis=1) * positions).sum(axis=1) / weights
    y = (lines.sum(axis=2) * positions).sum(axis=1) / weights
    return np.stack([x, y], axis=1).astype(np.float32)
