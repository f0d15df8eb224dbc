"""Prepare a data set for main_task.py: download it, read IDX files or draw digits, and write it as CSV files.

Try
    python generate_data.py                        MNIST into data/
    python generate_data.py --dataset synthetic    drawn digits, no network needed
    python generate_data.py --dataset customers    a table with texts and gaps, customers.csv
    python generate_data.py --help

The program is nn/datasets/program.py: every Python parses this file, so that one that is too old can say so.
"""

import sys

import startup

startup.refuse_old_python("generate_data.py")

from nn.datasets.program import main

if __name__ == "__main__":
    startup.begin()
    sys.exit(main(sys.argv[1:]))
