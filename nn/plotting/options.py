"""The command line of generate_plots.py."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from nn.core.command_line import HelpFormatter, OneLineParser

MOST_RUNS = 8  # of one page: as many as colors tell apart

USAGE = """generate_plots.py [--format png|svg|pdf] OUTPUT
       generate_plots.py [--format png|svg|pdf]
           COST_FILE ACCURACY_FILE OUTPUT_FOLDER
       generate_plots.py --html [--output FILE] OUTPUT [OUTPUT ...]"""

EXAMPLES = """examples:
  python generate_plots.py output
      every picture of the run in output/, written there:
      cost_history, accuracy_history, learning_rate,
      epoch_time, confusion_matrix, class_metrics, samples,
      weights; of a regression predicted and residuals
      in the place of those of classes. OUTPUT of
      predict_task.py with labels has its scores alone.
      A run still going on has its histories
      already, the original project's output has histories
      and metrics alone: the others are left out, each with
      a line that says so.
  python generate_plots.py output/cost_history \\
          output/accuracy_history/part-00000 pictures
      cost_history and accuracy_history alone, into
      pictures/, which is made if missing. A folder of part
      files does as well as a file; None for ACCURACY_FILE
      draws the cost alone.
  python generate_plots.py output --html
      output/report.html: one page with charts that show
      their values, the confusion matrix, mistakes, and the
      network itself, to draw digits for. It loads nothing,
      so it can be sent by mail.
  python generate_plots.py runs/a runs/b --html
      both runs in one page, runs/a/report.html.

exit codes: 0 done, 2 usage, 3 a bad or missing file,
4 a picture that cannot be written or a missing package,
129 terminal closed, 130 interrupted, 143 terminated
"""

# Two letters at least: C:/ is a drive.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
COPY = {"gs": "gcloud storage cp -r", "s3": "aws s3 cp --recursive", "hdfs": "hdfs dfs -get"}


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line. Print one line and end with code 2 where it is wrong."""
    parser = OneLineParser(
        prog="generate_plots.py",
        usage=USAGE,
        description="Draw the pictures of a run, or write its report page. "
        "OUTPUT is a folder that main_task.py wrote, or predict_task.py with labels.",
        epilog=EXAMPLES,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="OUTPUT, or the three paths of the second form"
    )
    parser.add_argument("--format", choices=("png", "svg", "pdf"), help="kind of file of the pictures (png)")
    parser.add_argument(
        "--html",
        action="store_true",
        help=f"write a report page of 1 to {MOST_RUNS} runs instead of pictures",
    )
    parser.add_argument("--output", metavar="FILE", help="with --html: the page (OUTPUT/report.html)")
    for option in ("--format", "--output"):  # argparse takes it for no value at all
        if f"{option}=--" in (sys.argv[1:] if arguments is None else arguments):
            parser.error(f"argument {option}: no option takes the value '--'")
    options = parser.parse_args(arguments)
    _check(parser, options)
    options.format = options.format or "png"
    return options


def _check(parser: OneLineParser, options: argparse.Namespace) -> None:
    """Print one line and end with code 2 for options that do not fit together, and for paths elsewhere."""
    count = len(options.paths)
    if "" in options.paths or options.output == "":
        parser.error("expected paths, found ''")
    if options.html and options.format:
        parser.error("--html writes a page, which has no --format")
    if options.output is not None and not options.html:
        parser.error("--output is the page of --html; pictures are written to OUTPUT")
    if options.html and count > MOST_RUNS:
        parser.error(f"expected 1 to {MOST_RUNS} OUTPUT folders, got {count}")
    if not options.html and count not in (1, 3):
        parser.error(
            f"expected OUTPUT, or COST_FILE ACCURACY_FILE OUTPUT_FOLDER, got {count} paths"
            + ("; several runs in one page: --html" if count == 2 else "")
        )
    for path in options.paths + ([options.output] if options.output else []):
        scheme = SCHEME.match(path)
        if scheme:
            copy = COPY.get(scheme[1], "hadoop fs -get")
            parser.error(f"{path} is not on this machine; copy it first: {copy} {path} FOLDER")
