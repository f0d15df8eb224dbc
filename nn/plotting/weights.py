"""Draw the weights of the first layer's units or filters as small images, on one scale."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nn.plotting.firstlayer import Filters, FirstLayer
from nn.plotting.style import PART, bare, canvas, heading
from nn.plotting.textfiles import NotDrawableError

MOST_SHOWN = 100
LARGEST_WEIGHT = 1e100
FINE = 14  # pixels to which a filter's shorter side is enlarged, so that the gap of 1 is narrow beside it
# Heights in inches.
LOWEST = 2.9  # room for the bar's label
TALLEST = 4.2  # of one image
TALLEST_ALL = 9.6
# From dark blue over neutral gray to light yellow: the usual diverging maps are dark at both ends, so that a gray
# print loses the sign.
SIGNED = LinearSegmentedColormap.from_list("signed", ["#071a4a", "#3566ad", "#a3a3a3", "#efb54f", "#fff8d2"])


def weights_figure(layer: FirstLayer, shape: tuple[int, ...], about: str) -> Figure:
    """Draw each unit's weights as an image (h, w), all on one scale symmetric about zero."""
    if len(shape) > 2:
        raise NotDrawableError("weights of color images have no single shade")
    units = layer.weights.shape[1]
    images = layer.weights[:, :MOST_SHOWN].T.reshape(-1, *shape)  # (units, h, w)
    parts = [about, _counted("units", units, len(images)), "line by line from unit 0"]
    return _mosaic_figure(images, layer.weights, "Weights of the first layer", parts)


def filters_figure(layer: Filters, about: str) -> Figure:
    """Draw each filter as an image (kh, kw), on one scale symmetric about zero; with three channels in color.

    Of any other number of channels the first is drawn.
    """
    kh, kw, c, f = layer.weights.shape
    images = np.moveaxis(layer.weights[..., :MOST_SHOWN], -1, 0)  # (f, kh, kw, c)
    enlarged = math.ceil(FINE / min(kh, kw))
    images = images.repeat(enlarged, axis=1).repeat(enlarged, axis=2)
    parts = [about, f"{_counted('filters', f, len(images))} of {kh} x {kw}", "line by line from filter 0"]
    drawn = layer.weights
    if c != 3:
        images, drawn = images[..., 0], drawn[:, :, 0]
    if c not in (1, 3):
        parts.append(f"only the first of their {c} channels")
    return _mosaic_figure(images, drawn, "Filters of the first layer", parts)


def _counted(noun: str, number: int, shown: int) -> str:
    return f"all {number} {noun}" if shown == number else f"the first {shown} of {number} {noun}"


def _mosaic_figure(
    images: NDArray[np.float64], weights: NDArray[np.float64], title: str, parts: list[str]
) -> Figure:
    """Draw images (n, h, w) in shades with a color bar, or (n, h, w, 3) in color; `weights` sets the scale."""
    limit, is_cut = _scale(weights)
    mosaic, rows = _mosaic(images)
    height = min(8.3 * mosaic.shape[0] / mosaic.shape[1], TALLEST * rows, TALLEST_ALL)
    figure, axes = canvas(10.0, 0.9 + max(height, LOWEST))
    if mosaic.ndim == 3:
        parts.append("in color: mid-gray is zero, more red a larger weight on red")
        mosaic = np.where(np.isfinite(mosaic), np.clip(0.5 + 0.5 * mosaic / limit, 0, 1), 1.0)
        axes.imshow(mosaic, interpolation="nearest")
    else:
        image = axes.imshow(mosaic, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
        extend = "both" if is_cut else "neither"
        bar = figure.colorbar(image, ax=axes, panchor=False, shrink=0.6, extend=extend)
        bar.set_label("weight (dark: negative, light: positive)")
        bar.ax.spines["outline"].set_visible(False)
    bare(axes)
    axes.set_anchor("NW")  # where the heading begins, also when the images are narrow
    heading(axes, title, PART.join(filter(None, parts)))
    return figure


def _scale(weights: NDArray[np.float64]) -> tuple[float, bool]:
    """Return (the largest absolute weight of the scale, whether some exceed it).

    A few large weights would make all others pale. Raises NotDrawableError if no weight is finite.
    """
    size = np.abs(weights[np.isfinite(weights)])
    if not size.size or size.max() > LARGEST_WEIGHT:
        raise NotDrawableError("the weights are not finite: the run diverged")
    limit = float(np.quantile(size, 0.995)) or float(size.max()) or 1.0
    return limit, bool(size.max() > limit)


def _mosaic(images: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Arrange images (n, h, w[, 3]) in a grid. Return it as one image with blank gaps, and its number of rows."""
    n, h, w = images.shape[:3]
    images = np.where(np.isfinite(images), images, np.nan)
    columns = min(n, math.ceil(math.sqrt(n * h / w)))
    rows, gap = math.ceil(n / columns), max(1, min(h, w) // 14)
    whole = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, *images.shape[3:]), np.nan)
    for i, image in enumerate(images):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        whole[top : top + h, left : left + w] = image
    return whole, rows
