"""Look at figures: what they say, and whether all of it can be read."""

from itertools import pairwise

import matplotlib.text
import numpy as np
from matplotlib.axis import Tick
from matplotlib.colors import to_rgb

HOSTILE = [
    "$x^2$",
    "a_b_{c",
    "\\frac{1}{2}",
    "line\nbreak\ttab",
    "",
    "\u304a\u304d",
    "x" * 300,
    "$",
    "5 $ and 6 $",
    "é ñ",
]


def texts(figure):
    """Every text that is really drawn; ticks outside the axes have one too, which is not."""
    figure.draw_without_rendering()
    drawn = [t for t in figure.findobj(matplotlib.text.Text) if t.get_visible() and t.get_text().strip()]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            shown = {label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)}
            hidden = {label for tick in axis.findobj(Tick) for label in (tick.label1, tick.label2)} - shown
            drawn = [t for t in drawn if t not in hidden]
    return drawn


def assert_readable(figure):
    """No text leaves the picture, and no two labels of one axis lie on each other."""
    for text in texts(figure):
        assert not text.get_parse_math(), f"{text.get_text()!r} would be taken for mathematics"
        box = text.get_window_extent()
        inside = (
            box.x0 >= -1
            and box.y0 >= -1
            and box.x1 <= figure.bbox.width + 1
            and box.y1 <= figure.bbox.height + 1
        )
        assert inside, f"{text.get_text()!r} is cut off"
    for axes in figure.axes:
        for axis, low, high in ((axes.xaxis, "x0", "x1"), (axes.yaxis, "y0", "y1")):
            labels = [tick.label1 for tick in axis._update_ticks() if tick.label1.get_text()]
            if any(label.get_rotation() for label in labels):
                continue  # slanted: their boxes overlap, they do not
            boxes = sorted(
                (getattr(b, low), getattr(b, high)) for b in (label.get_window_extent() for label in labels)
            )
            assert all(a[1] <= b[0] + 1 for a, b in pairwise(boxes)), f"{axis} labels overlap"


def all_text(figure):
    return "\n".join(text.get_text() for text in texts(figure))


def lightness(color):
    return float(np.dot(to_rgb(color), [0.2126, 0.7152, 0.0722]))
