"""Prepare a data set for main_task.py: download it, read IDX files or draw digits, and write it as CSV files.

Try
    python generate_data.py                        MNIST into data/
    python generate_data.py --dataset synthetic    drawn digits, no internet connection needed
    python generate_data.py --dataset customers    a table with strings and missing values, customers.csv
    python generate_data.py --help

The program is nn/datasets/program.py: every Python parses this file, so that one that is too old can say so.
"""

import sys

PROGRAM = "generate_data.py"


def error(message):
    """Print a line on stderr and exit with code 4."""
    if sys.stderr:
        sys.stderr.write(PROGRAM + ": error: " + message + "\n")
    sys.exit(4)


if sys.version_info < (3, 10):
    error("needs Python 3.10 or newer, this is %d.%d" % sys.version_info[:2])

try:
    from nn.core import signals, streams
    from nn.datasets.program import main
except ModuleNotFoundError as missing:
    if (missing.name or "").split(".")[0] != "nn":
        raise
    error("no Python module named %s here; put this project's nn/ beside %s" % (missing.name, PROGRAM))

if __name__ == "__main__":
    streams.open_missing()
    signals.exit_when_terminated()
    sys.exit(main(sys.argv[1:]))
