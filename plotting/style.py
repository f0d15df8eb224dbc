"""The common look of all pictures, and their way onto the disk: same input, same bytes, never half a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plotting.textfiles import BadFileError

# Dark blue, orange and pale blue differ in lightness too (about 25, 60, 80 of 100): they stay apart in a
# grey print and for every kind of colour blindness.
DARK, MIDDLE, PALE = "#0b3c6f", "#d9730d", "#aecbe8"
QUIET = "#5b6570"  # frames, second lines, ticks

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

# What would differ between two calls: dates, and the library's version.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def house_style() -> Iterator[None]:
    """Everything drawn and saved inside looks alike, whatever the user's own matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RULES)
        yield


def canvas(width: float = 10.0, height: float = 6.0, rows: int = 1) -> tuple[Figure, Axes]:
    """A figure, sizes in inches, and the first of its axes; made without pyplot: no display is asked for."""
    figure = Figure(figsize=(width, height))
    figure.subplots(rows)
    return figure, figure.axes[0]


def heading(axes: Axes, title: str, subtitle: str) -> None:
    """A bold title and a quiet second line, flush with the left edge of the axes."""
    axes.set_title(title + "\n", loc="left", fontsize=15, fontweight="bold", pad=8)
    axes.annotate(
        subtitle,
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 9),
        textcoords="offset points",
        fontsize=10.5,
        color=QUIET,
        annotation_clip=False,
    )


def bare(axes: Axes) -> None:
    """No frame and no ticks, for axes that hold images."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    # The layout gives the title room above the axes' cell; from the middle of a cell that is higher than the
    # images the title would be measured too low, and later be cut off.
    axes.set_anchor("N")


def legend_below(figure: Figure, axes: Axes) -> None:
    """The legend under the axes, where it can cover nothing; none for a single entry."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) > 1:
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=10.5)
        for handle in legend.legend_handles:
            if isinstance(handle, Line2D):  # among thousands of epochs the markers themselves are dots
                handle.set_markersize(max(6, handle.get_markersize()))


def save(figure: Figure, path: Path) -> Path:
    """Write under a temporary name, then rename: a reader sees the old picture or the new one."""
    kind = path.suffix[1:]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(temporary, format=kind, metadata=METADATA[kind])
        temporary.replace(path)
    except OSError as error:
        raise BadFileError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)
    return path
