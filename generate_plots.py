"""Draw the pictures of a training run: `generate_plots.py OUTPUT`, with OUTPUT as main_task.py wrote it.

The program is nn/plotting/program.py: every Python parses this file, so that one that is too old can say so.
"""

import sys

import startup

startup.refuse_old_python("generate_plots.py")

from nn.plotting.program import main

if __name__ == "__main__":
    startup.begin()
    sys.exit(main())
