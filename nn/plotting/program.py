"""generate_plots.py: draw the pictures of a run; turn each error into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nn.core.format import print_line
from nn.plotting.options import read_options

BAD_DATA, ENVIRONMENT = 3, 4


def note(text: str) -> None:
    """Print a line on stderr, such as the reason why a picture is left out."""
    print_line(f"generate_plots.py: {text}", sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures, print their paths, and return the exit code."""
    options = read_options(arguments)
    try:  # only now: --help does not need matplotlib, which is slow to load
        from nn.plotting.gallery import draw_histories, draw_run
        from nn.plotting.textfiles import BadFileError, NotWrittenError
    except ModuleNotFoundError as missing:
        if missing.name not in ("numpy", "matplotlib"):
            raise
        cure = f"install it with: {sys.executable} -m pip install {missing.name}"
        note(f"error: no Python module named {missing.name} here; {cure}")
        return ENVIRONMENT

    paths = [Path(path) for path in options.paths]
    try:
        if len(paths) == 1:
            pictures = draw_run(paths[0], options.format, note)
        else:
            accuracies = None if options.paths[1] == "None" else paths[1]
            pictures = draw_histories(paths[0], accuracies, paths[2], options.format, note)
        for picture in pictures:
            print_line(str(picture))
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
