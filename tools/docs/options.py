"""The page of all options of the four programs, from their declarations and parsers."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from nn.cli import predict_options
from nn.cli.arguments import option_word
from nn.cli.config_file import FIELDS
from nn.cli.parser import CONFIG_HELP, groups
from nn.core.options import Flag, Place, Spec, options_of
from nn.datasets import options as data_options
from nn.plotting import options as plot_options
from tools.docs.markdown import block, cell, code, page, table

WORDS = {  # the kinds of words, and the page that lists them; others have a section in optimizers.md
    "layer": "layers.md",
    "loss": "losses.md",
    "optimizer": "optimizers.md",
    "schedule": "schedules.md",
    "augmentation": "augmentation.md",
}
HEADER = ("option", "values", "default", "")
VERSION = ["`--version`", "", "", "print the version and exit"]
CONFIG = ["`--config RECIPE`", "a name, or a path", "", cell(CONFIG_HELP)]
LIST_WORDS = ["`--words`", "", "", "list every word with its fields and exit"]


def page_of_options() -> str:
    """Return the page."""
    return page(
        "Options",
        "All options of the four programs; `--help` prints them too. An option without a default in this table is off, "
        "or its text says what holds without it. `--no-NAME` turns a flag of a configuration file off.",
        *_main_task(),
        *_predict_task(),
        *_of_parser("generate_data.py", _captured(data_options.read_options)),
        *_of_parser("generate_plots.py", _captured(plot_options.read_options)),
    )


def _main_task() -> list[str]:
    parts = [
        "## main_task.py",
        block(
            "spark-submit main_task.py TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS OUTPUT [options]\n"
            "spark-submit main_task.py --config RECIPE OUTPUT [options]\n"
            "spark-submit main_task.py TRAIN_IMAGES --describe [options]"
        ),
    ]
    for title, names in groups().items():
        rows = [_row(name, FIELDS[name]) for name in names]
        more = [CONFIG, LIST_WORDS, VERSION] if title == "run" else []
        parts += [f"### main_task.py: {title}", table(HEADER, rows + more)]
    return parts


def _predict_task() -> list[str]:
    parts = ["## predict_task.py", block(predict_options.USAGE)]
    by_group: dict[str, list[list[str]]] = {}
    for name, field in options_of(predict_options.PredictOptions).items():
        group = field.metadata["group"]
        # An option that is that of main_task.py is in the group that predict_task.py's --help shows it in.
        by_group.setdefault(group, []).append(_row(name, field))
    by_group["run"].append(VERSION)
    for title, rows in by_group.items():
        parts += [f"### predict_task.py: {title}", table(HEADER, rows)]
    return parts


def _row(name: str, field: dataclasses.Field) -> list[str]:
    reader = field.metadata["reader"]
    if isinstance(reader, Place) and reader.positional:
        return [code(name.upper()), "a path", "", cell(field.metadata["help"])]
    word = f"--{option_word(name)}"
    spelled = word if isinstance(reader, Flag) else f"{word} {reader.metavar}"
    return [code(spelled), values_of(reader), default_of(field), cell(field.metadata["help"])]


def values_of(reader: Any) -> str:
    """Return which values an option takes, as the content of a cell."""
    if isinstance(reader, Flag):
        return "a flag"
    if isinstance(reader, Spec):
        page = WORDS.get(reader.kind, f"optimizers.md#{reader.kind}")
        return f"[{'words' if reader.metavar == 'LIST' else 'a word'}]({page})"
    return cell(str(reader))


def default_of(field: dataclasses.Field) -> str:
    """Return the default of an option, as the content of a cell."""
    if field.default is None or field.default is False or field.default == ():
        return ""
    plain = field.metadata["reader"].plain(field.default)
    return code(f"{plain:g}" if isinstance(plain, float) else plain)


def _captured(read_options: Callable[[list[str]], Any]) -> argparse.ArgumentParser:
    """Return the parser that a program's `read_options` makes."""
    found: list[argparse.ArgumentParser] = []

    def keep(parser: argparse.ArgumentParser, *_: Any) -> None:
        found.append(parser)
        raise _FoundError

    with mock.patch.object(argparse.ArgumentParser, "parse_args", keep), contextlib.suppress(_FoundError):
        read_options([])
    return found[0]


class _FoundError(Exception):
    """A parser is about to parse."""


def _of_parser(program: str, parser: argparse.ArgumentParser) -> list[str]:
    """Return the section of a program that declares its options to argparse itself."""
    usage = (parser.usage or "").replace("%(prog)s", program)
    rows: dict[str, list[list[str]]] = {}
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if "--help" not in action.option_strings]
        title = "options" if group.title == "positional arguments" else str(group.title)
        rows.setdefault(title, []).extend(map(_action_row, actions))
    parts = [f"## {program}", block(usage)]
    for title, lines in rows.items():
        if lines:
            parts += [f"### {program}: {title}", table(HEADER, lines)]
    return parts


def _action_row(action: argparse.Action) -> list[str]:
    name = action.option_strings[-1] if action.option_strings else str(action.metavar)
    if action.nargs == 0:
        spelled, values = name, "a flag"
    else:
        spelled = f"{name} {action.metavar or 'NAME'}" if action.option_strings else name
        values = f"one of {', '.join(map(str, action.choices))}" if action.choices else ""
    named: Mapping[str, Any] = vars(action) | {"prog": ""}
    help = (action.help or "") % named
    default = "" if action.default in (None, False, argparse.SUPPRESS) else code(action.default)
    return [code(spelled), cell(values), default, cell(help)]
