"""generate_plots.py: draw the pictures of a run, or write the report page; turn each error into one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from nn.core.format import print_line
from nn.plotting.options import read_options

BAD_DATA, ENVIRONMENT = 3, 4


def note(text: str) -> None:
    """Print a line on stderr, such as the reason why a picture is left out."""
    print_line(f"generate_plots.py: {text}", sys.stderr)


def _pictures(options: argparse.Namespace) -> Iterator[Path]:
    """Return an iterator that draws the pictures and yields their paths."""
    from nn.plotting.gallery import draw_histories, draw_run

    paths = [Path(path) for path in options.paths]
    if len(paths) == 1:
        return draw_run(paths[0], options.format, note)
    accuracies = None if options.paths[1] == "None" else paths[1]
    return draw_histories(paths[0], accuracies, paths[2], options.format, note)


def _report(options: argparse.Namespace) -> Iterator[Path]:
    """Return an iterator that writes the report page and yields its path."""
    from nn.plotting.report.page import write_report

    target = None if options.output is None else Path(options.output)
    return map(partial(write_report, target=target), [[Path(path) for path in options.paths]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures or write the page, print their paths, and return the exit code."""
    options = read_options(arguments)
    try:  # only now: --help needs neither NumPy nor Matplotlib, which is slow to load, nor does --html need the latter
        from nn.plotting.textfiles import BadFileError, NotWrittenError

        files = _report(options) if options.html else _pictures(options)
    except ModuleNotFoundError as missing:
        if missing.name not in ("numpy", "matplotlib"):
            raise
        cure = f"install it with: {sys.executable} -m pip install {missing.name}"
        note(f"error: no Python module named {missing.name} here; {cure}")
        return ENVIRONMENT

    try:
        for file in files:
            print_line(str(file))
    except BadFileError as error:
        note(f"error: {error}")
        return BAD_DATA
    except NotWrittenError as error:
        note(f"error: {error}")
        return ENVIRONMENT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head`: nobody reads the paths any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        path = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        note(f"error: {path}{error.strerror or error}")
        return ENVIRONMENT
    return 0
