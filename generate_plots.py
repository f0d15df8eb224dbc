"""Draw the pictures of a training run: `generate_plots.py OUTPUT`, with OUTPUT as main_task.py wrote it.

The program is nn/plotting/program.py: every Python parses this file, so that one that is too old can say so.
"""

import sys

PROGRAM = "generate_plots.py"


def error(message):
    """Print a line on stderr and exit with code 4."""
    if sys.stderr:
        sys.stderr.write(PROGRAM + ": error: " + message + "\n")
    sys.exit(4)


if sys.version_info < (3, 10):
    error("needs Python 3.10 or newer, this is %d.%d" % sys.version_info[:2])

try:
    from nn.core import signals, streams
    from nn.plotting.program import main
except ModuleNotFoundError as missing:
    if (missing.name or "").split(".")[0] != "nn":
        raise
    error(
        "no Python module named %s here; put this project's nn/ beside %s, or set PYTHONPATH=nn.zip"
        % (missing.name, PROGRAM)
    )

if __name__ == "__main__":
    streams.open_missing()
    signals.exit_when_terminated()
    sys.exit(main(sys.argv[1:]))
