"""The command line of generate_data.py."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from nn.core.command_line import HelpFormatter, OneLineParser
from nn.datasets import customers, selection, synthetic
from nn.datasets.catalogue import PUBLISHED
from nn.datasets.writing import ENCODINGS


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line. Print one line and end with code 2 for options that are wrong or exclude each other."""
    parser = OneLineParser(
        prog="generate_data.py",
        usage="generate_data.py [options]",
        description="Write a data set as mnist_images_train.csv, mnist_labels_train.csv, "
        "mnist_images_test.csv and mnist_labels_test.csv, the input of main_task.py, and a dataset.json "
        "that names it; or a table with strings and missing values, customers.csv.",
        epilog="exit codes: 0 done, 2 usage, 3 bad data, 4 network, disk or a missing package, 129 terminal "
        "closed, 130 interrupted, 143 terminated",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    _add_data(parser.add_argument_group("which data"))
    _add_drawn(parser.add_argument_group("made data (--dataset synthetic, customers)"))
    _add_output(parser.add_argument_group("output"))
    _refuse_dashes(arguments, parser)
    options = parser.parse_args(arguments)
    _check(options, parser)
    return options


def _add_data(group) -> None:
    group.add_argument(
        "--dataset",
        choices=[*PUBLISHED, "synthetic", "customers"],
        help="the data set (default: mnist); synthetic draws digits and customers makes a table: both "
        "need no internet connection",
    )
    group.add_argument(
        "--from",
        dest="folder",
        metavar="FOLDER",
        help="read the four IDX files in FOLDER, gzipped or not, instead of downloading them",
    )
    group.add_argument(
        "--digits",
        type=_class_numbers,
        metavar="A,B,...",
        help="keep these classes, renumbered 0, 1, ... in this order (default: all)",
    )
    group.add_argument(
        "--limit",
        type=_rows,
        metavar="N",
        help="keep at most the first N training rows and the first N test rows (default: all); "
        f"counted after --digits; --dataset customers makes N rows (default: {customers.ROWS:,})",
    )


def _add_drawn(group) -> None:
    group.add_argument(
        "--train-rows", type=_rows, metavar="N", help=f"training rows (default: {synthetic.TRAIN_ROWS})"
    )
    group.add_argument(
        "--test-rows", type=_rows, metavar="N", help=f"test rows (default: {synthetic.TEST_ROWS})"
    )
    group.add_argument(
        "--seed",
        type=_seed,
        metavar="N",
        help="another seed draws other digits, or other customers (default: 0); fewer rows are the first of more",
    )


def _add_output(group) -> None:
    group.add_argument("--output", default="data", metavar="FOLDER", help="where to (default: %(default)s)")
    group.add_argument(
        "--format",
        choices=list(ENCODINGS),
        default="compact",
        help="compact: integers 0-255 between commas, one class number per line; original: floats 0-1 "
        "between spaces, one-hot labels, 11 times as large (default: %(default)s)",
    )
    group.add_argument("--debug", action="store_true", help="show where an error came from")


def _class_numbers(text: str) -> tuple[int, ...]:
    """Read --digits. Raises ArgumentTypeError with the reason if they are invalid."""
    try:
        return selection.parse_digits(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole_number(text: str, lowest: int, highest: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and lowest <= int(text) <= highest:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number in {lowest}..{highest}, found {text!r}")


def _rows(text: str) -> int:
    return _whole_number(text, 1, 10**12)


def _seed(text: str) -> int:
    return _whole_number(text, 0, synthetic.HIGHEST_SEED)


def _refuse_dashes(arguments: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Refuse `--option=--`, which argparse reads in another way in each version of Python."""
    for word in arguments:
        if word.startswith("--") and word.endswith("=--"):
            parser.error(f"argument {word.removesuffix('=--')}: no option takes the value '--'")


def _check(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse options that would be ignored, and paths that are no folders."""
    made = options.dataset in ("synthetic", "customers")
    if made and options.folder is not None:
        parser.error(
            f"--from reads the files of a published data set, but --dataset {options.dataset} is made"
        )
    if options.dataset != "synthetic":
        for option in ("train_rows", "test_rows"):
            if getattr(options, option) is not None:
                parser.error(f"--{option.replace('_', '-')} needs --dataset synthetic")
    if not made and options.seed is not None:
        parser.error("--seed needs --dataset synthetic or customers")
    if options.dataset == "customers":
        if options.digits:
            parser.error("--digits chooses images, but --dataset customers is a table")
        if options.format != "compact":
            parser.error("--format is that of images, but --dataset customers is a table")
    if options.folder is None and options.digits and max(options.digits) > 9:
        parser.error(f"argument --digits: expected classes in 0..9, found {max(options.digits)}")
    if options.folder is not None and not os.path.isdir(options.folder):
        parser.error(f"argument --from: expected a folder, found none at {options.folder!r}")
    if not options.output:
        parser.error("argument --output: expected a folder, found ''")
    if os.path.exists(options.output) and not os.path.isdir(options.output):
        parser.error(f"argument --output: expected a folder, found a file at {options.output!r}")
