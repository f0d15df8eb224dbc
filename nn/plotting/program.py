"""generate_plots.py: the command line to pictures in a folder, and each fault to a line and an exit code."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from nn.plotting.terminal import HelpFormatter, OneLineParser, say

USAGE = """generate_plots.py [--format png|svg|pdf] OUTPUT
       generate_plots.py [--format png|svg|pdf]
           COST_FILE ACCURACY_FILE OUTPUT_FOLDER"""

EXAMPLES = """examples:
  python generate_plots.py output
      every picture of the run in output/, written there:
      cost_history, accuracy_history, learning_rate,
      epoch_time, confusion_matrix, class_metrics, samples,
      weights. A run still going on has its histories
      already, the original project's output has histories
      and metrics alone: the others are left out, each with
      a line that says so.
  python generate_plots.py output/cost_history \\
          output/accuracy_history/part-00000 pictures
      cost_history and accuracy_history alone, into
      pictures/, which is made if missing. A folder of part
      files does as well as a file; None for ACCURACY_FILE
      draws the cost alone.

exit codes: 0 done, 2 usage, 3 a bad or missing file,
4 a picture that cannot be written or a missing package,
130 interrupted
"""

BAD_DATA, ENVIRONMENT = 3, 4

# Two letters at least: C:/ is a drive.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
COPY = {"gs": "gcloud storage cp -r", "s3": "aws s3 cp --recursive", "hdfs": "hdfs dfs -get"}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; ends the program with code 2 and a usage line when it makes no sense."""
    parser = OneLineParser(
        prog="generate_plots.py",
        usage=USAGE,
        description="Draw the pictures of a training run. OUTPUT is a\nfolder that main_task.py wrote.",
        epilog=EXAMPLES,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="OUTPUT, or the three paths of the second form"
    )
    parser.add_argument(
        "--format", choices=("png", "svg", "pdf"), default="png", help="kind of file (%(default)s)"
    )
    if "--format=--" in (sys.argv[1:] if arguments is None else arguments):
        parser.error(
            "argument --format: no option takes the value '--'"
        )  # argparse takes it for no value at all
    options = parser.parse_args(arguments)
    if "" in options.paths:
        parser.error("expected paths, found ''")
    if len(options.paths) not in (1, 3):
        parser.error(
            f"expected OUTPUT, or COST_FILE ACCURACY_FILE OUTPUT_FOLDER, got {len(options.paths)} paths"
        )
    for path in options.paths:
        scheme = SCHEME.match(path)
        if scheme:
            copy = COPY.get(scheme[1], "hadoop fs -get")
            parser.error(f"{path} is not on this machine; copy it first: {copy} {path} FOLDER")
    return options


def note(text: str) -> None:
    """A line that is not an error: something could not be drawn, the rest goes on."""
    say(f"generate_plots.py: {text}", sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, print each picture's path, return the exit code."""
    options = parse(arguments)
    try:  # only now: --help shall not wait for matplotlib, nor need it
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
            say(str(picture))
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
        place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        note(f"error: {place}{error.strerror or error}")
        return ENVIRONMENT
    return 0
