"""Draw digits that look handwritten: a font's center line, slanted, rotated and bent, drawn with a pen of some width.

For every pixel p of an image,  q = A (p - shift + bend(p)) + center  is a point of the stroke's distance field d,
and  gray = clip((pen(p) - d(q)) / softness + 1/2, 0, 1).  A block of rows is drawn at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nn.datasets.imageset import BLOCK_ROWS, Block, ImageSet, Split
from nn.datasets.strokes import DETAIL, SIDE, Strokes, load_strokes

PIXELS = 28  # the side of a finished image
TRAIN_ROWS, TEST_ROWS = 60_000, 10_000
HIGHEST_SEED = 2**32 - 1  # one word of a generator's key: a longer seed would run into the words after it
PURPOSE = 20  # first word of every key here, so that other uses of the seed draw other random numbers
SPLITS = {"train": 0, "test": 1}
CHUNK = 250  # rows drawn at a time: their arrays fit the processor's cache

# Variation of the handwriting. Measured with benchmarks/synthetic_digits.py.
WIDTH, HEIGHT = (0.72, 1.15), (0.8, 1.0)  # scale, from .. to
SLANT = 0.22  # standard deviation of the shear
TURN = np.deg2rad(9.0)  # standard deviation of the rotation
SHIFT = 0.9  # standard deviation, pixels
BEND = 1.3  # standard deviation of the slowest wave, pixels
PEN = (0.85, 1.55)  # half the width of the line, pixels
PRESSURE = 0.12  # standard deviation of the pen's change along the way, relative
SOFTNESS = (1.0, 1.5)  # width of the gray edge, pixels
FARTHEST = 2.0  # normal random numbers are clipped at this many deviations, beyond which digits are illegible

WAVES = 4  # of the bend, each way
PRESSURE_WAVES = 3


class Hands(NamedTuple):
    """The random numbers that draw n rows."""

    labels: np.ndarray  # (n,) uint8, indices into the list of digits
    strokes: np.ndarray  # (n,) int64, indices of center lines
    matrix: np.ndarray  # (n, 2, 2), from pixels back to points of the field
    shrink: np.ndarray  # (n,), factor from distances on the field to those on the image
    shift: np.ndarray  # (n, 2), pixels
    bend: np.ndarray  # (n, 2, WAVES, WAVES), weights of the waves in x and y
    pressure: np.ndarray  # (n, PRESSURE_WAVES, PRESSURE_WAVES)
    pen: np.ndarray  # (n,), pixels
    softness: np.ndarray  # (n,), pixels


def draw_set(
    seed: int,
    train_rows: int = TRAIN_ROWS,
    test_rows: int = TEST_ROWS,
    digits: Sequence[int] | None = None,
) -> ImageSet:
    """Return a set that is drawn while it is read; `digits` are the classes from which labels are drawn.

    Raises ValueError for a seed or digits that are out of range.
    """
    if not 0 <= seed <= HIGHEST_SEED:
        raise ValueError(f"seed must be in 0..{HIGHEST_SEED}, got {seed}")
    digits = tuple(range(10)) if digits is None else tuple(digits)
    if not all(0 <= digit <= 9 for digit in digits):
        raise ValueError(f"digits must be in 0..9, got {digits}")
    return ImageSet(
        name="synthetic",
        classes=tuple(map(str, digits)),
        height=PIXELS,
        width=PIXELS,
        source="drawn along the center lines of matplotlib's fonts",
        train=Split(train_rows, lambda: draw(seed, "train", train_rows, digits)),
        test=Split(test_rows, lambda: draw(seed, "test", test_rows, digits)),
        seed=seed,
    )


def draw_digits(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return drawn digits for examples: images (n, 28, 28) of gray values 0..255 and their classes (n,), both uint8.

    The same seed gives the same rows, and fewer rows are the first ones of more. Needs Matplotlib.
    """
    blocks = [*draw_set(seed, rows, 0).train.blocks()]
    images = [np.zeros((0, PIXELS, PIXELS), np.uint8), *(block.images for block in blocks)]
    labels = [np.zeros(0, np.uint8), *(block.labels for block in blocks)]
    return np.concatenate(images), np.concatenate(labels)


def draw(seed: int, split: str, rows: int, digits: Sequence[int]) -> Iterator[Block]:
    """Draw the first rows of a split, a block at a time.

    The random numbers of a block depend on (seed, split, number of the block) alone, so that a smaller set is the
    beginning of a larger one.
    """
    strokes = load_strokes()
    for number, start in enumerate(range(0, rows, BLOCK_ROWS)):
        rng = np.random.default_rng((PURPOSE, seed, SPLITS[split], number))
        hands = draw_hands(rng, BLOCK_ROWS, strokes, digits)
        wanted = min(BLOCK_ROWS, rows - start)
        chunks = [slice(at, min(at + CHUNK, wanted)) for at in range(0, wanted, CHUNK)]
        images = [write(Hands(*(values[chunk] for values in hands)), strokes) for chunk in chunks]
        yield Block(np.concatenate(images), hands.labels[:wanted])


def draw_hands(rng: np.random.Generator, n: int, strokes: Strokes, digits: Sequence[int]) -> Hands:
    """Draw the random numbers of n rows."""

    def normal(deviation, *shape: int) -> np.ndarray:
        return (deviation * rng.standard_normal((n, *shape)).clip(-FARTHEST, FARTHEST)).astype(np.float32)

    def uniform(bounds: tuple[float, float]) -> np.ndarray:
        return rng.uniform(*bounds, n).astype(np.float32)

    labels = rng.integers(0, len(digits), n)
    matrix, shrink = _affine(uniform(WIDTH), uniform(HEIGHT), normal(SLANT), normal(TURN))
    return Hands(
        labels=labels.astype(np.uint8),
        strokes=_choose(rng.random(n), np.asarray(digits)[labels], strokes),
        matrix=matrix,
        shrink=shrink,
        shift=normal(SHIFT, 2),
        bend=normal(BEND * _fading(WAVES), 2, WAVES, WAVES),
        pressure=normal(PRESSURE, PRESSURE_WAVES, PRESSURE_WAVES),
        pen=uniform(PEN),
        softness=uniform(SOFTNESS),
    )


def write(hands: Hands, strokes: Strokes) -> np.ndarray:
    """Draw images from their random numbers, (n, 28, 28) uint8."""
    x, y = _positions(hands)
    centers = strokes.centers[hands.strokes]
    x += centers[:, 0, None, None]
    y += centers[:, 1, None, None]
    gray = _look_up(strokes.fields, hands.strokes, x, y)  # distance from the line, (n, 28, 28)
    gray *= -hands.shrink[:, None, None]
    gray += hands.pen[:, None, None] * (1 + _waves(hands.pressure))
    gray /= hands.softness[:, None, None]
    gray += np.float32(0.5)
    np.clip(gray, 0, 1, out=gray)
    return (gray * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _positions(hands: Hands) -> tuple[np.ndarray, np.ndarray]:
    """Return each pixel's position relative to the center of its stroke, in points of the field: x, y (n, 28, 28)."""
    from_middle = np.arange(PIXELS, dtype=np.float32) - (PIXELS - 1) / 2
    bend = _waves(hands.bend)  # (n, 2, 28, 28)
    u = bend[:, 0] + (from_middle - hands.shift[:, 0, None])[:, None, :]
    v = bend[:, 1] + (from_middle - hands.shift[:, 1, None])[:, :, None]
    matrix = hands.matrix[:, :, :, None, None]
    return matrix[:, 0, 0] * u + matrix[:, 0, 1] * v, matrix[:, 1, 0] * u + matrix[:, 1, 1] * v


def _look_up(fields: np.ndarray, chosen: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Interpolate the chosen fields at (x, y), bilinearly; points outside get the value at the edge."""
    flat = fields.ravel()
    edge = np.float32(SIDE - 1.001)  # so that there is always a next point
    np.clip(x, 0, edge, out=x)
    np.clip(y, 0, edge, out=y)
    column, row = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= row
    index = (chosen * SIDE * SIDE)[:, None, None] + row * SIDE + column
    upper, lower = flat[index], flat[index + SIDE]
    upper += (flat[index + 1] - upper) * x
    lower += (flat[index + SIDE + 1] - lower) * x
    upper += (lower - upper) * y
    return upper


def _choose(shares: np.ndarray, digits: np.ndarray, strokes: Strokes) -> np.ndarray:
    """Choose a stroke of each row's digit by a number in [0, 1)."""
    chosen = np.zeros(len(digits), np.int64)
    for digit, candidates in enumerate(strokes.of_digit):
        rows = digits == digit
        chosen[rows] = candidates[(shares[rows] * len(candidates)).astype(int)]
    return chosen


def _affine(
    width: np.ndarray, height: np.ndarray, slant: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Combine scale, slant and rotation into one matrix from pixels to points of the field.

    Return it, (n, 2, 2), and the factor from distances on the field to those on the image, (n,).
    """
    sine, cosine = np.sin(turn), np.cos(turn)
    rotation = np.array([[cosine, -sine], [sine, cosine]]).transpose(2, 0, 1)  # (n, 2, 2)
    shape = np.array([[width, -slant * height], [np.zeros_like(width), height]]).transpose(2, 0, 1)
    matrix = DETAIL * np.linalg.inv(rotation @ shape)
    return matrix.astype(np.float32), np.sqrt(width * height)


def _waves(weights: np.ndarray) -> np.ndarray:
    """Sum weighted cosine waves, (..., k, k) -> (..., 28, 28); no bump is smaller than a stroke."""
    middle = (np.arange(PIXELS) + 0.5) / PIXELS
    basis = np.cos(np.pi * middle[:, None] * np.arange(weights.shape[-1])).astype(np.float32)  # (28, k)
    return basis @ weights @ basis.T


def _fading(waves: int) -> np.ndarray:
    """Return the amplitude of each wave: lower for higher frequencies, 0 for the constant, which is the shift."""
    speed = np.add.outer(np.arange(waves), np.arange(waves))
    share = 1 / (1 + speed)
    share[0, 0] = 0
    return share
