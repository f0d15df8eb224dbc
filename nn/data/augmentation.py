"""Data augmentation: shift, rotate, scale, distort or mirror each training image at random, anew each epoch.

All transforms together are one map of positions, so that each image is interpolated once:

    out(q) = x(A q + t + displacement(q))        q is measured from the image's center, in pixels; x is 0 outside

A and t (of shift, rotate, scale, flip) and the displacement (of elastic) are functions of (seed, epoch,
transform, row). No row influences another row: an image has the same bits in any block, partition and order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from nn.core.constraints import Interval, check_fields
from nn.core.random import AUGMENTATION, Key, uniforms

CHUNK_PIXELS = 50_000  # pixels transformed at a time: the intermediate arrays then fit the processor's cache
Draws = Callable[[int], np.ndarray]  # count -> random numbers in [0, 1), (n, count)
# Pixels that a transform may move an image: more than any image has, and far from float32's limits.
FARTHEST = 1000.0


class AffineMap(NamedTuple):
    """A map from pixel (x, y) of the result to its source position (xx x + xy y + x0, yx x + yy y + y0).

    Each entry is an array (n,) or a number. Positions are measured from the image's center in pixels, x to the right
    and y down.
    """

    xx: Any = 1.0
    xy: Any = 0.0
    x0: Any = 0.0
    yx: Any = 0.0
    yy: Any = 1.0
    y0: Any = 0.0

    def then(self, later: AffineMap) -> AffineMap:
        """Combine this map with that of a later transform, which is applied first: maps go from result to source."""
        return AffineMap(
            self.xx * later.xx + self.xy * later.yx,
            self.xx * later.xy + self.xy * later.yy,
            self.xx * later.x0 + self.xy * later.y0 + self.x0,
            self.yx * later.xx + self.yy * later.yx,
            self.yx * later.xy + self.yy * later.yy,
            self.yx * later.x0 + self.yy * later.y0 + self.y0,
        )


@dataclass(frozen=True)
class Transform:
    """Base class: a transform that changes nothing. Transforms override what differs."""

    name: ClassVar[str]
    # The fields that the first value of its word gives (nn.core.spec).
    positional: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def keeps_pixels(self) -> bool:
        """Whether every pixel is a pixel of the original, so that no interpolation is needed."""
        return False

    def affine_map(self, draw: Draws, whole: bool) -> AffineMap:
        """Return the map from result to source; `whole`: all transforms keep pixels, so move by whole pixels."""
        return AffineMap()

    def displacement(self, draw: Draws, h: int, w: int) -> np.ndarray | None:
        """Return the displacement (x, y) of each source position in pixels, (n, 2, h, w) float32, or None."""
        return None


@dataclass(frozen=True)
class Shift(Transform):
    """Move by up to `pixels` in each direction in x and in y, uniformly distributed.

    If `pixels` is an integer and all other transforms are flips, images move by whole pixels, which does not blur them;
    else by fractions of a pixel.
    """

    name: ClassVar[str] = "shift"
    positional: ClassVar[tuple[str, ...]] = ("pixels",)
    pixels: Annotated[float, Interval(float, 0, FARTHEST)]

    @property
    def keeps_pixels(self) -> bool:
        """Whether `pixels` is an integer."""
        return self.pixels == int(self.pixels)

    def affine_map(self, draw: Draws, whole: bool) -> AffineMap:
        """Subtract a random shift."""
        width = 2 * self.pixels
        shift = (np.floor(draw(2) * (width + 1)) if whole else draw(2) * width) - self.pixels  # (n, 2)
        return AffineMap(x0=-shift[:, 0], y0=-shift[:, 1])


@dataclass(frozen=True)
class Rotate(Transform):
    """Rotate about the center by up to `degrees` in each direction, uniformly distributed; positive: anticlockwise."""

    name: ClassVar[str] = "rotate"
    positional: ClassVar[tuple[str, ...]] = ("degrees",)
    degrees: Annotated[float, Interval(float, 0, 180)]

    def affine_map(self, draw: Draws, whole: bool) -> AffineMap:
        """Rotate back by a random angle."""
        angle = np.deg2rad(self.degrees * (2 * draw(1)[:, 0] - 1))
        cos, sin = np.cos(angle), np.sin(angle)
        return AffineMap(xx=cos, xy=-sin, yx=sin, yy=cos)


@dataclass(frozen=True)
class Scale(Transform):
    """Scale about the center by a factor in [1 - share, 1 + share], uniformly distributed, the same in x and y."""

    name: ClassVar[str] = "scale"
    positional: ClassVar[tuple[str, ...]] = ("share",)
    share: Annotated[float, Interval(float, 0, 0.9)]

    def affine_map(self, draw: Draws, whole: bool) -> AffineMap:
        """Divide by a random factor."""
        inverse = 1 / (1 + self.share * (2 * draw(1)[:, 0] - 1))
        return AffineMap(xx=inverse, yy=inverse)


@dataclass(frozen=True)
class Flip(Transform):
    """Mirror a random half of the images, left to right."""

    name: ClassVar[str] = "flip"

    @property
    def keeps_pixels(self) -> bool:
        """True: a mirror image has the same pixels."""
        return True

    def affine_map(self, draw: Draws, whole: bool) -> AffineMap:
        """Change the sign of x with probability 1/2."""
        return AffineMap(xx=np.where(draw(1)[:, 0] < 0.5, -1.0, 1.0))


@dataclass(frozen=True)
class Elastic(Transform):
    """Distort by smooth random displacements of at most `strength` pixels in x and in y.

    Simard, Steinkraus and Platt (2003) draw an independent displacement for every pixel and smooth them by a Gaussian
    of standard deviation `smooth` pixels. Here they are drawn on a grid with a spacing of sqrt(3) `smooth` pixels, and
    interpolated by cubic B-splines of that standard deviation. The root mean square of a displacement is 0.28
    `strength`. The paper's sigma 4, alpha 34 is close to elastic:5. Displacements are in pixels of the original image,
    at any position in the list of transforms.
    """

    name: ClassVar[str] = "elastic"
    positional: ClassVar[tuple[str, ...]] = ("strength",)
    strength: Annotated[float, Interval(float, 0, FARTHEST)]
    smooth: Annotated[float, Interval(float, 0.5, FARTHEST)] = 4.0

    def displacement(self, draw: Draws, h: int, w: int) -> np.ndarray:
        """Interpolate the random displacements of the grid, by two matrix products.

        BLAS may add in a different order for another block size. So the displacements are multiples of 2^-7 and the
        weights of 2^-8: all sums are multiples of 2^-23 within 1, which float32 represents exactly.
        """
        over_h, over_w = _splines(h, self.smooth), _splines(w, self.smooth)  # (h, points), (w, points)
        points_h, points_w = over_h.shape[1], over_w.shape[1]
        grid = (np.floor(draw(2 * points_h * points_w) * 257) / 128 - 1).astype(np.float32)
        grid = grid.reshape(-1, points_w) @ over_w.T  # (n * 2 * points_h, w)
        field = over_h @ grid.reshape(-1, 2, points_h, w)  # (n, 2, h, w)
        field *= np.float32(self.strength)
        return field


AUGMENTATIONS: dict[str, type[Transform]] = {
    kind.name: kind for kind in (Shift, Rotate, Scale, Elastic, Flip)
}


def augment(
    transforms: Sequence[Transform], images: np.ndarray, rows: np.ndarray, seed: int, epoch: int
) -> np.ndarray:
    """Apply all transforms in order to images (n, h, w, c), float32 or float64; return a new array.

    `rows` (n,) are the global row numbers of the images. Each transform draws its own random numbers, also if the same
    one is listed twice. Raises ValueError for other shapes or dtypes, and for another number of rows.
    """
    if images.ndim != 4 or images.dtype not in (np.float32, np.float64):
        raise ValueError(f"expected float images (n, h, w, c), got {images.dtype} {images.shape}")
    if rows.shape != images.shape[:1]:
        raise ValueError(f"expected {images.shape[0]} row numbers, got {rows.shape}")
    key = Key((seed, AUGMENTATION, epoch))
    out = np.empty(images.shape, images.dtype)
    chunk_rows = max(1, CHUNK_PIXELS * len(images) // max(1, images.size))
    for start in range(0, len(images), chunk_rows):
        chunk = slice(start, start + chunk_rows)
        draws = [partial(uniforms, key.child(index), rows[chunk]) for index in range(len(transforms))]
        out[chunk] = apply_transforms(transforms, images[chunk], draws)
    return out


def apply_transforms(
    transforms: Sequence[Transform], images: np.ndarray, draws: Sequence[Draws]
) -> np.ndarray:
    """Apply all transforms in order to images (n, h, w, c), each with its own source of random numbers."""
    n, h, w, _ = images.shape
    whole = all(transform.keeps_pixels for transform in transforms)
    affine_map = AffineMap(*(np.full(n, value) for value in AffineMap()))
    displacements = []
    for transform, draw in zip(transforms, draws, strict=True):
        affine_map = affine_map.then(transform.affine_map(draw, whole))
        displacement = transform.displacement(draw, h, w)
        if displacement is not None:
            displacements.append(displacement)
    # Zeros around each image, for positions outside and their neighbors: one pixel before it, two after it.
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    return _take_pixels(padded, affine_map) if whole else _interpolate(padded, affine_map, displacements)


def _source_positions(affine_map: AffineMap, h: int, w: int, dtype: Any) -> tuple[np.ndarray, ...]:
    """Return the position of each pixel in the padded source: column ux + uy and row vx + vy.

    ux and vx are (n, 1, w), uy and vy (n, h, 1).
    """
    xx, xy, x0, yx, yy, y0 = (values.astype(dtype)[:, None, None] for values in affine_map)
    x = np.arange(w, dtype=dtype) - dtype.type((w - 1) / 2)
    y = np.arange(h, dtype=dtype)[:, None] - dtype.type((h - 1) / 2)
    x0, y0 = x0 + dtype.type((w + 1) / 2), y0 + dtype.type((h + 1) / 2)
    return xx * x + x0, xy * y, yx * x, yy * y + y0


def _take_pixels(padded: np.ndarray, affine_map: AffineMap) -> np.ndarray:
    """Take the pixel at each source position, for a map by whole pixels without rotation."""
    n, high, wide, c = padded.shape
    u, _, _, v = _source_positions(affine_map, high - 3, wide - 3, np.dtype(np.float64))
    columns = np.clip(u, 0, wide - 1).astype(np.intp)  # (n, 1, w)
    rows = np.clip(v, 0, high - 1).astype(np.intp)  # (n, h, 1)
    rows += np.arange(n)[:, None, None] * high
    return padded.reshape(-1, c).take(rows * wide + columns, axis=0)


def _interpolate(padded: np.ndarray, affine_map: AffineMap, displacements: list[np.ndarray]) -> np.ndarray:
    """Interpolate bilinearly at each source position (column u, row v)."""
    n, high, wide, c = padded.shape
    ux, uy, vx, vy = _source_positions(affine_map, high - 3, wide - 3, padded.dtype)
    u, v = ux + uy, vx + vy
    for displacement in displacements:
        u += displacement[:, 0]
        v += displacement[:, 1]
    np.clip(u, 0, wide - 2, out=u)  # so that there is a next pixel
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
        upper = _lerp_inplace(flat.take(corner), flat[1:].take(corner), u)
        lower = _lerp_inplace(flat[wide:].take(corner), flat[wide + 1 :].take(corner), u)
        out[..., channel] = _lerp_inplace(upper, lower, v)
    return out


def _lerp_inplace(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Compute a + t (b - a) in b; it is exactly a where t is 0."""
    b -= a
    b *= t
    b += a
    return b


def _splines(length: int, smooth: float) -> np.ndarray:
    """Return the weight of each grid point at each pixel, (length, points) float32, in multiples of 2^-8 that sum to 1.

    Four grid points influence a pixel, so the grid begins and ends outside the image.
    """
    # The standard deviation of a cubic B-spline is 1 / sqrt(3) of its spacing.
    position = np.arange(length) / (math.sqrt(3) * smooth)
    points = np.arange(-1, int(position[-1]) + 3 if length else 3)
    r = np.abs(position[:, None] - points)
    far = np.maximum(2 - r, 0)
    weights = np.rint(256 * np.where(r < 1, 2 / 3 - r * r + r * r * r / 2, far * far * far / 6))
    weights[np.arange(length), weights.argmax(axis=1)] += 256 - weights.sum(axis=1)
    return (weights / 256).astype(np.float32)
