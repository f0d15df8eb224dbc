"""Derive the shape of an image from the number of its inputs."""

from __future__ import annotations

import math

from nn.plotting.textfiles import NotDrawableError

Shape = tuple[int, ...]  # (h, w) or (h, w, 3)

FLATTEST = 4  # longer side of an image / shorter side, up to which a grid of images is drawn


def image_shape(inputs: int, declared: Shape | None = None) -> Shape:
    """Return the shape of an image of `inputs` numbers: as the model declares it, or else a square.

    Raises NotDrawableError if there is none.
    """
    if declared and math.prod(declared) == inputs and len(declared) in (2, 3):
        if declared[2:] not in ((), (1,), (3,)):
            raise NotDrawableError(f"images of {declared[2]} channels are neither gray nor color")
        shape = declared[:2] if declared[2:] == (1,) else declared
    else:
        shape = (math.isqrt(inputs), math.isqrt(inputs))
    if math.prod(shape) != inputs or inputs < 4:
        raise NotDrawableError(f"{inputs} input values do not make a square image")
    if max(shape[:2]) > FLATTEST * min(shape[:2]):
        raise NotDrawableError(f"images of {shape[0]} x {shape[1]} are too flat to show in a grid")
    return shape
