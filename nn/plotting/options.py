"""The command line of generate_plots.py."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import NoReturn

from nn.core.format import print_line

USAGE_ERROR = 2

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

# Two letters at least: C:/ is a drive.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
COPY = {"gs": "gcloud storage cp -r", "s3": "aws s3 cp --recursive", "hdfs": "hdfs dfs -get"}


class OneLineParser(argparse.ArgumentParser):
    """Prints an error as one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Print the error and end with code 2."""
        print_line(f"{self.prog}: error: {message} (see --help)", sys.stderr)
        sys.exit(USAGE_ERROR)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Leave descriptions as they are, and break no word at a hyphen."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line. Print one line and end with code 2 where it is wrong."""
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
