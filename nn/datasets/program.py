"""generate_data.py: write a data set; turn each error into one line and an exit code."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import traceback

BAD_DATA, ENVIRONMENT, INTERRUPTED = 3, 4, 130

try:
    from nn.core.format import print_line
    from nn.datasets import customers, published, synthetic
    from nn.datasets.catalogue import PUBLISHED
    from nn.datasets.errors import DataError, DownloadError
    from nn.datasets.imageset import ImageSet
    from nn.datasets.options import read_options
    from nn.datasets.writing import Written, write_set
except ModuleNotFoundError as missing:
    if missing.name != "numpy":
        raise
    cure = f"install it with: {sys.executable} -m pip install numpy"
    print(f"generate_data.py: error: no Python module named numpy here; {cure}", file=sys.stderr)
    sys.exit(ENVIRONMENT)


def main(arguments: list[str]) -> int:
    """Write the data set and return the exit code."""
    options = read_options(arguments)
    try:
        if options.dataset == "customers":
            rows = options.limit or customers.ROWS
            report_table(rows, customers.write_table(options.output, rows, options.seed or 0))
            return 0
        image_set = choose(options)
        command = shlex.join(["python", "generate_data.py", *arguments])
        report(image_set, write_set(image_set, options.output, options.format, command))
        return 0
    except DataError as error:
        return fail(str(error), BAD_DATA, options)
    except DownloadError as error:
        hint = "with the files at hand: --from FOLDER, without an internet connection: --dataset synthetic"
        return fail(f"{error}; {hint}", ENVIRONMENT, options)
    except ImportError as error:
        return fail(f"{error} (pip install -r requirements.txt)", ENVIRONMENT, options)
    except OSError as error:
        return fail(str(error), ENVIRONMENT, options)
    except KeyboardInterrupt:
        return fail("interrupted, no unfinished file is left", INTERRUPTED, options)


def choose(options: argparse.Namespace) -> ImageSet:
    """Return the image set that the options name."""
    if options.dataset == "synthetic":
        sizes = (options.train_rows or synthetic.TRAIN_ROWS, options.test_rows or synthetic.TEST_ROWS)
        train_rows, test_rows = (min(size, options.limit or size) for size in sizes)
        return synthetic.draw_set(options.seed or 0, train_rows, test_rows, options.digits)
    if options.folder is not None:
        return published.from_folder(options.folder, options.dataset, options.digits, options.limit)
    name = options.dataset or "mnist"
    # The downloads stay there, so that the next run needs no internet connection.
    downloads = os.path.join(options.output, "downloads", name)
    return published.from_download(PUBLISHED[name], downloads, options.digits, options.limit)


def report(image_set: ImageSet, files: list[Written]) -> None:
    """Print the name of the set and the files that were written."""
    print_line(
        f"{image_set.name}: {image_set.train.rows:,} training and {image_set.test.rows:,} test images of "
        f"{image_set.height} x {image_set.width}, {len(image_set.classes)} classes ({image_set.source})"
    )
    for file in files:
        report_file(file)


def report_table(rows: int, file: Written) -> None:
    """Print the size and the columns of the table that was written."""
    print_line(f"customers: {rows:,} made rows, columns {', '.join(customers.HEADER)}")
    report_file(file)


def report_file(file: Written) -> None:
    """Print the place and the size of a file."""
    print_line(f"  {file.path}  {file.size:,} bytes")


def fail(reason: str, code: int, options: argparse.Namespace) -> int:
    """Print in one line why there is no data set; return the exit code."""
    if options.debug:
        traceback.print_exc()
    print_line(f"generate_data.py: error: {' '.join(reason.split())}", sys.stderr)
    return code
