"""Build a program's command line from the fields of a dataclass that nn.core.options.option made."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from nn import __version__
from nn.core import format
from nn.core.command_line import HelpFormatter
from nn.core.errors import UsageError
from nn.core.options import Flag, Number, Place

SEE_HELP = "--help lists the options"
UNKNOWN = re.compile(r"unrecognized arguments: --([\w-]+)")  # argparse's message
# Options of spark-submit that are easily written behind the program.
OF_SPARK_SUBMIT = frozenset(
    (
        *("archives", "conf", "deploy-mode", "driver-cores", "driver-memory", "executor-cores"),
        *("executor-memory", "files", "jars", "keytab", "master", "name"),
        *("num-executors", "packages", "principal", "properties-file", "py-files", "queue"),
        *("repositories", "total-executor-cores"),
    )
)


class Parser(argparse.ArgumentParser):
    """Raises UsageError with the message that argparse would print."""

    def error(self, message: str) -> Any:
        """Raise the error. Of an unknown option, say where it belongs or which option is spelled nearly so."""
        raise UsageError(f"{format.line(message)}; {self._advice(message)}{SEE_HELP}")

    def _advice(self, message: str) -> str:
        unknown = UNKNOWN.match(message)
        if unknown is None:
            return ""
        word = unknown[1].replace("_", "-")
        if word in OF_SPARK_SUBMIT:
            return f"--{word} is an option of spark-submit and belongs before {self.prog}; "
        known = [option[2:] for option in self._option_string_actions if not option.startswith("--no-")]
        close = difflib.get_close_matches(word, known, 1)
        return f"did you mean --{close[0]}? " if close else ""


class Program(NamedTuple):
    """A program's name and the strings of its --help."""

    name: str
    usage: str
    description: str
    epilog: str


def parser_of(program: Program, groups: Mapping[str, Mapping[str, Any]]) -> tuple[Parser, Any]:
    """Return the parser of a command line, and the last of its groups of options.

    `groups` are the fields of the options by name, by the title of their group in --help.
    """
    parser = Parser(
        prog=program.name,
        usage=program.usage,
        description=program.description,
        epilog=program.epilog,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    for title, fields in groups.items():
        group = parser.add_argument_group(title)
        for name, field in fields.items():
            add_option(group, name, field.metadata)
    group.add_argument("--version", action="version", version=f"{program.name} {__version__}")
    return parser, group


def words_by_name(parser: Parser, arguments: list[str]) -> dict[str, Any]:
    """Return the words of a command line by the names of the options, without those that are not given.

    Raises UsageError for what the parser does not know.
    """
    return vars(parser.parse_intermixed_args(_join_negative_numbers(arguments)))


def label_of(name: str, paths: Collection[str]) -> str:
    """Return the name of an option as messages spell it; those in `paths` are positional."""
    return name.upper() if name in paths else f"--{option_word(name)}"


def require(values: Mapping[str, Any], paths: Collection[str]) -> None:
    """Raise UsageError where a positional argument is missing."""
    missing = [name.upper() for name in paths if values.get(name) is None]
    if missing:
        raise UsageError(f"the following arguments are required: {', '.join(missing)}; {SEE_HELP}")


def option_word(name: str) -> str:
    """Return the name of an option as the command line spells it."""
    return name.replace("_", "-")


def add_option(group: Any, name: str, metadata: Mapping[str, Any]) -> None:
    """Add an option to a group of argparse; a path is a positional argument if it is `positional`."""
    reader, word = metadata["reader"], option_word(name)
    values = f"; {reader}" if isinstance(reader, Number) else ""
    help = (metadata["help"] + values).replace("%", "%%")
    if isinstance(reader, Place) and reader.positional:
        group.add_argument(name, metavar=name.upper(), nargs="?", help=help)
    elif isinstance(reader, Flag):
        group.add_argument(f"--{word}", action="store_const", const=True, dest=name, help=help)
        # One sentence under --config describes all of these.
        group.add_argument(
            f"--no-{word}", action="store_const", const=False, dest=name, help=argparse.SUPPRESS
        )
    else:
        action = "append" if getattr(reader, "repeatable", False) else "store"
        group.add_argument(f"--{word}", metavar=reader.metavar, help=help, action=action, dest=name)


def _join_negative_numbers(arguments: list[str]) -> list[str]:
    """Join an option with a negative number after it, which argparse would take for another option.

    Raises UsageError for `--option=--`, which argparse reads in another way in each version of Python.
    """
    joined: list[str] = []
    for index, word in enumerate(arguments):
        if word == "--":  # no options follow
            return joined + arguments[index:]
        option, _, value = word.partition("=")
        if option.startswith("--") and value == "--":
            raise UsageError(f"argument {format.line(option)}: no option takes the value '--'; {SEE_HELP}")
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _is_negative(word):
            joined[-1] += "=" + word
        else:
            joined.append(word)
    return joined


def _is_negative(word: str) -> bool:
    return word.startswith("-") and word[1:2].isdigit()
