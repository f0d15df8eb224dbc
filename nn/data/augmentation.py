"""Show training images a little shifted, turned, scaled, bent or mirrored, each row in its own way each epoch.

Every step is a map of places, and all of them together look an image up once, between its pixels:

    out(q) = x(A q + t + bend(q))        q from the image's centre, in pixels; x is 0 outside the image

A and t (of shift, rotate, scale, flip) and bend (of elastic) are functions of (seed, epoch, step, row) alone, and no
number of a row is computed from another row's: a picture has the same bits in any block, partition and order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from nn.core.random import AUGMENTATION, Key, uniforms

CHUNK_PIXELS = 50_000  # pixels worked on at a time: so many numbers of each kind fit the processor's cache
Draws = Callable[[int], np.ndarray]  # count -> that many numbers in [0, 1) for each row, (n, count)
FARTHEST = 1000.0  # no step moves by more pixels: beyond any image, and far from float32's limits


class Move(NamedTuple):
    """Where the pixel (x, y) of the result comes from, (xx x + xy y + x0, yx x + yy y + y0); each (n,) or a number.

    Both places are seen from the image's centre, x to the right and y down, in pixels.
    """

    xx: Any = 1.0
    xy: Any = 0.0
    x0: Any = 0.0
    yx: Any = 0.0
    yy: Any = 1.0
    y0: Any = 0.0

    def before(self, later: Move) -> Move:
        """Do this step and then a later one: a place of the result goes back through the later step first."""
        return Move(
            self.xx * later.xx + self.xy * later.yx,
            self.xx * later.xy + self.xy * later.yy,
            self.xx * later.x0 + self.xy * later.y0 + self.x0,
            self.yx * later.xx + self.yy * later.yx,
            self.yx * later.xy + self.yy * later.yy,
            self.yx * later.x0 + self.yy * later.y0 + self.y0,
        )


@dataclass(frozen=True)
class Step:
    """One way to change an image, which by itself changes nothing; each kind overrides what differs."""

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()  # the fields that nn.core.spec reads from the first value

    @property
    def keeps_pixels(self) -> bool:
        """Whether every pixel can come from one whole pixel, so that nothing needs to blur."""
        return False

    def move(self, draw: Draws, whole: bool) -> Move:
        """The place that each pixel comes from; `whole` asks for whole pixels of a step that keeps them."""
        return Move()

    def bend(self, draw: Draws, h: int, w: int) -> np.ndarray | None:
        """What each pixel adds to that place, x and then y, in pixels (n, 2, h, w) float32; None is nothing."""
        return None


@dataclass(frozen=True)
class Shift(Step):
    """Move by up to `pixels` each way in x and in y, evenly spread.

    Where `pixels` is a whole number and only flips stand beside it, images move by whole pixels, all equally
    likely, and stay as sharp as they were; else by any part of a pixel.
    """

    name: ClassVar[str] = "shift"
    positional: ClassVar[tuple[str, ...]] = ("pixels",)
    pixels: float

    def __post_init__(self) -> None:
        _check("Shift pixels", self.pixels, 0, FARTHEST)

    @property
    def keeps_pixels(self) -> bool:
        """Whether the distance is in whole pixels."""
        return self.pixels == int(self.pixels)

    def move(self, draw: Draws, whole: bool) -> Move:
        """A pixel comes from where it was before the shift."""
        width = 2 * self.pixels
        by = (np.floor(draw(2) * (width + 1)) if whole else draw(2) * width) - self.pixels  # (n, 2)
        return Move(x0=-by[:, 0], y0=-by[:, 1])


@dataclass(frozen=True)
class Rotate(Step):
    """Turn about the centre by up to `degrees` each way, evenly spread; a positive angle turns anticlockwise."""

    name: ClassVar[str] = "rotate"
    positional: ClassVar[tuple[str, ...]] = ("degrees",)
    degrees: float

    def __post_init__(self) -> None:
        _check("Rotate degrees", self.degrees, 0, 180)

    def move(self, draw: Draws, whole: bool) -> Move:
        """A pixel comes from where turning back leads."""
        angle = np.deg2rad(self.degrees * (2 * draw(1)[:, 0] - 1))
        cos, sin = np.cos(angle), np.sin(angle)
        return Move(xx=cos, xy=-sin, yx=sin, yy=cos)


@dataclass(frozen=True)
class Scale(Step):
    """Enlarge about the centre by a factor in [1 - share, 1 + share], evenly spread and the same in x and y."""

    name: ClassVar[str] = "scale"
    positional: ClassVar[tuple[str, ...]] = ("share",)
    share: float

    def __post_init__(self) -> None:
        _check("Scale share", self.share, 0, 0.9)

    def move(self, draw: Draws, whole: bool) -> Move:
        """A pixel comes from a place nearer to the centre, where the image grows."""
        nearer = 1 / (1 + self.share * (2 * draw(1)[:, 0] - 1))
        return Move(xx=nearer, yy=nearer)


@dataclass(frozen=True)
class Flip(Step):
    """Mirror half of the rows, left to right."""

    name: ClassVar[str] = "flip"

    @property
    def keeps_pixels(self) -> bool:
        """A mirror image has the same pixels."""
        return True

    def move(self, draw: Draws, whole: bool) -> Move:
        """A pixel of a mirrored row comes from the other side."""
        return Move(xx=np.where(draw(1)[:, 0] < 0.5, -1.0, 1.0))


@dataclass(frozen=True)
class Elastic(Step):
    """Bend by smooth random displacements of at most `strength` pixels in x and in y.

    After Simard, Steinkraus and Platt (2003), who smooth an independent displacement of every pixel by a
    Gaussian of standard deviation `smooth` pixels. Here the independent ones sit on a grid, sqrt(3) `smooth`
    pixels apart, and cubic B-splines of that same standard deviation join them; a displacement is 0.28
    `strength` on average (root mean square). The paper's sigma 4, alpha 34 is close to elastic:5. In a list of steps
    the bend is measured in the pixels of the original, wherever it stands.
    """

    name: ClassVar[str] = "elastic"
    positional: ClassVar[tuple[str, ...]] = ("strength",)
    strength: float
    smooth: float = 4.0

    def __post_init__(self) -> None:
        _check("Elastic strength", self.strength, 0, FARTHEST)
        _check("Elastic smooth", self.smooth, 0.5, FARTHEST)

    def bend(self, draw: Draws, h: int, w: int) -> np.ndarray:
        """Join the grid's displacements, by two matrix products.

        BLAS may add in another order in a block of another size. So the displacements are multiples of 2^-7
        and the weights of 2^-8: all sums are multiples of 2^-23 within 1, which float32 holds exactly.
        """
        over_h, over_w = _splines(h, self.smooth), _splines(w, self.smooth)  # (h, points), (w, points)
        points_h, points_w = over_h.shape[1], over_w.shape[1]
        grid = (np.floor(draw(2 * points_h * points_w) * 257) / 128 - 1).astype(np.float32)
        grid = grid.reshape(-1, points_w) @ over_w.T  # (n * 2 * points_h, w)
        field = over_h @ grid.reshape(-1, 2, points_h, w)  # (n, 2, h, w)
        field *= np.float32(self.strength)
        return field


AUGMENTATIONS: dict[str, type[Step]] = {step.name: step for step in (Shift, Rotate, Scale, Elastic, Flip)}


def augment(steps: Sequence[Step], images: np.ndarray, rows: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Images (n, h, w, c), float32 or float64, after all steps in turn; a new array of the same shape and dtype.

    `rows` (n,) are the images' global row numbers. Steps draw independently, also where two are the same.
    Raises ValueError for images of another kind, or another number of rows.
    """
    if images.ndim != 4 or images.dtype not in (np.float32, np.float64):
        raise ValueError(f"expected float images (n, h, w, c), got {images.dtype} {images.shape}")
    if rows.shape != images.shape[:1]:
        raise ValueError(f"expected {images.shape[0]} row numbers, got {rows.shape}")
    key = Key((seed, AUGMENTATION, epoch))
    out = np.empty(images.shape, images.dtype)
    at_once = max(1, CHUNK_PIXELS * len(images) // max(1, images.size))
    for start in range(0, len(images), at_once):
        chunk = slice(start, start + at_once)
        draws = [partial(uniforms, key.child(place), rows[chunk]) for place in range(len(steps))]
        out[chunk] = transformed(steps, images[chunk], draws)
    return out


def transformed(steps: Sequence[Step], images: np.ndarray, draws: Sequence[Draws]) -> np.ndarray:
    """Images (n, h, w, c) after all steps in turn, each with numbers of its own."""
    n, h, w, _ = images.shape
    whole = all(step.keeps_pixels for step in steps)
    move = Move(*(np.full(n, value) for value in Move()))
    bends = []
    for step, draw in zip(steps, draws, strict=True):
        move = move.before(step.move(draw, whole))
        bends.append(step.bend(draw, h, w))
    # One row and column of zeros before each image and two after it: what lies outside, and its neighbours.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    if whole:
        return _picked(padded, move)
    ux, uy, vx, vy = _places(move, h, w, images.dtype)
    u, v = ux + uy, vx + vy
    for bend in bends:
        if bend is not None:
            u += bend[:, 0]
            v += bend[:, 1]
    return _between_pixels(padded, u, v)


def _places(move: Move, h: int, w: int, dtype: Any) -> tuple[np.ndarray, ...]:
    """The place in the padded image that each pixel comes from, as the sums ux + uy (column) and vx + vy (row).

    ux and vx are (n, 1, w), uy and vy (n, h, 1).
    """
    xx, xy, x0, yx, yy, y0 = (values.astype(dtype)[:, None, None] for values in move)
    x = np.arange(w, dtype=dtype) - dtype.type((w - 1) / 2)
    y = np.arange(h, dtype=dtype)[:, None] - dtype.type((h - 1) / 2)
    x0, y0 = x0 + dtype.type((w + 1) / 2), y0 + dtype.type((h + 1) / 2)
    return xx * x + x0, xy * y, yx * x, yy * y + y0


def _picked(padded: np.ndarray, move: Move) -> np.ndarray:
    """The one pixel that lies at each place; the move is by whole pixels and does not turn."""
    n, high, wide, c = padded.shape
    u, _, _, v = _places(move, high - 3, wide - 3, np.dtype(np.float64))
    columns = np.clip(u, 0, wide - 1).astype(np.intp)  # (n, 1, w)
    rows = np.clip(v, 0, high - 1).astype(np.intp)  # (n, h, 1)
    rows += np.arange(n)[:, None, None] * high
    return padded.reshape(-1, c).take(rows * wide + columns, axis=0)


def _between_pixels(padded: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The image at (u, v), linear in both between the four pixels around; u and v are overwritten."""
    n, high, wide, c = padded.shape
    np.clip(u, 0, wide - 2, out=u)  # so that there is always a next pixel
    np.clip(v, 0, high - 2, out=v)
    left, top = np.floor(u), np.floor(v)
    u -= left
    v -= top
    corner = top.astype(np.intp)
    corner += np.arange(n)[:, None, None] * high
    corner *= wide
    corner += left.astype(np.intp)
    out = np.empty((*u.shape, c), padded.dtype)
    for channel in range(c):
        flat = padded[..., channel].ravel()
        upper = _blended(flat.take(corner), flat[1:].take(corner), u)
        lower = _blended(flat[wide:].take(corner), flat[wide + 1 :].take(corner), u)
        out[..., channel] = _blended(upper, lower, v)
    return out


def _blended(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """a + share (b - a), which is a itself where the share is 0; b is overwritten."""
    b -= a
    b *= share
    b += a
    return b


def _splines(length: int, smooth: float) -> np.ndarray:
    """The weight of each point of the grid at each pixel, (length, points) float32 multiples of 2^-8 that sum to 1.

    Four points reach a pixel, so the grid begins and ends outside the image.
    """
    at = np.arange(length) / (math.sqrt(3) * smooth)  # a cubic B-spline deviates by 1/sqrt(3) of its spacing
    points = np.arange(-1, int(at[-1]) + 3 if length else 3)
    r = np.abs(at[:, None] - points)
    far = np.maximum(2 - r, 0)
    weights = np.rint(256 * np.where(r < 1, 2 / 3 - r * r + r * r * r / 2, far * far * far / 6))
    weights[np.arange(length), weights.argmax(axis=1)] += 256 - weights.sum(axis=1)
    return (weights / 256).astype(np.float32)


def _check(what: str, value: Any, lowest: float, highest: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise ValueError(f"{what} must be a number in [{lowest:g}, {highest:g}], got {value!r}")
