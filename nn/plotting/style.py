"""The common style of all pictures, and how they are written: the same input gives the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from nn.plotting.textfiles import NotWrittenError

# Dark blue, orange and pale blue differ in lightness too (about 25, 60, 80 of 100): they differ in a
# gray print and for every kind of color blindness.
DARK, MIDDLE, PALE = "#0b3c6f", "#d9730d", "#aecbe8"
SECOND = "#1f9e89"  # a second line beside a dark one: lighter, and of another hue for every kind of color blindness
QUIET = "#5b6570"  # frames, second lines, ticks

PART = " · "  # between the parts of a subtitle
LINE_CHARACTERS = 100  # of a subtitle, beside an axis with long names
LINE_POINTS = 14.0  # distance of its lines
LEGEND_SIZE = 10.5
# Times the size of its letters: a legend's column without its text, as matplotlib spaces it.
LEGEND_COLUMN = 4.8
LEGEND_POINTS = 710  # the width of a picture without its margins

# For names under an axis that do not fit side by side.
SLANTED: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}

RULES: dict[Any, Any] = {
    "figure.dpi": 150,
    "savefig.dpi": "figure",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.1,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that a picture looks the same everywhere
    "font.size": 11,
    "text.parse_math": False,  # a class may be named "$5_bill$"
    "text.color": "#1c2329",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": "#1c2329",
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": "#1c2329",
    "ytick.labelcolor": "#1c2329",
    "grid.color": "#dfe3e6",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "one salt, so that an svg file's ids do not change from call to call",
}

# Without what differs between two calls: dates, and the library's version.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def house_style() -> Iterator[None]:
    """Use the common style inside `with`, whatever the user's matplotlibrc sets."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)
        yield


def canvas(width: float = 10.0, height: float = 6.0, rows: int = 1) -> tuple[Figure, Axes]:
    """Return a figure, sizes in inches, and the first of its axes; without pyplot, so that no display is needed."""
    figure = Figure(figsize=(width, height))
    figure.subplots(rows)
    return figure, figure.axes[0]


def heading(axes: Axes, title: str, subtitle: str) -> None:
    """Write a bold title and the subtitle below it, flush with the left edge of the axes."""
    lines = _lines(subtitle)
    pad = 8 + LINE_POINTS * (len(lines) - 1)
    axes.set_title(title + "\n", loc="left", fontsize=15, fontweight="bold", pad=pad)
    axes.annotate(
        "\n".join(lines),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        va="bottom",
        fontsize=10.5,
        color=QUIET,
        linespacing=1.2,
        annotation_clip=False,
    )


def _lines(subtitle: str) -> list[str]:
    """Break a subtitle between its parts into lines that fit the picture."""
    first, *rest = subtitle.split(PART)
    lines = [first]
    for part in rest:
        if len(lines[-1]) + len(PART) + len(part) > LINE_CHARACTERS:
            lines.append(part)
        else:
            lines[-1] += PART + part
    return lines


def bare(axes: Axes) -> None:
    """Remove frame and ticks, for axes that hold images."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    # The layout gives the title room above the axes' cell; from the middle of a cell that is higher than the
    # images the title would be measured too low, and later be cut off.
    axes.set_anchor("N")


def legend_below(figure: Figure, axes: Axes) -> None:
    """Draw the legend below the axes; none for a single entry."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) > 1:
        style: dict[str, Any] = {
            "loc": "outside lower center",
            "ncols": _columns(labels),
            "fontsize": LEGEND_SIZE,
        }
        legend = figure.legend(handles, labels, **style)
        for handle in legend.legend_handles:
            if isinstance(handle, Line2D):  # among thousands of epochs the markers themselves are dots
                handle.set_markersize(max(6, handle.get_markersize()))


def _columns(labels: list[str]) -> int:
    """Return the number of the legend's columns that fit the width of the picture, at most four."""
    font = FontProperties(family="DejaVu Sans", size=LEGEND_SIZE)
    widths = [text_to_path.get_text_width_height_descent(label, font, False)[0] for label in labels]
    for columns in (4, 3, 2):
        widest = [max(column) for column in np.array_split(widths, columns) if len(column)]
        if sum(widest) + LEGEND_COLUMN * LEGEND_SIZE * len(widest) <= LEGEND_POINTS:
            return columns
    return 1


def save(figure: Figure, path: Path) -> Path:
    """Write a picture under a temporary name, then rename it, so that a reader sees the old one or the new one.

    Raises NotWrittenError.
    """
    kind = path.suffix[1:]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format=kind, metadata=METADATA[kind])
        temporary.replace(path)
    except OSError as error:
        raise NotWrittenError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):  # on a disk that nothing can be written to, nothing can be removed either
            temporary.unlink(missing_ok=True)
    return path
