"""Prepare a bare machine for `make`, with the standard library only; one module per step.

environment  the virtual environment and its packages     java     find or install a Java that Spark runs on
data         the four data files                          inside   run a command in the environment, with Java
packages     the system's package manager                 summary  the last lines of `make train`
"""

import sys

_OLDEST = (3, 10)

# Here, in syntax that older Pythons parse, because they cannot parse the modules.
if sys.version_info < _OLDEST:
    sys.exit(
        f"error: Python 3.10 or newer is needed, found {sys.version.split()[0]} ({sys.executable});"
        " install one and name it: make train PYTHON=/path/to/python3"
    )
