"""Read the shell commands of a page: its fenced `sh` blocks, cut into commands and words as a shell cuts them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ASSIGNMENT = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)
VARIABLE = re.compile(r"\$(\w+)")
# Words of the shell itself, before and after a command.
KEYWORDS = {"export", "do", "done", "break", "then", "fi", "!"}
REDIRECTIONS = {">", ">>", "<", "2>"}


class Command(NamedTuple):
    """A command, and the line of its page."""

    place: str
    words: list[str]


def fences(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """The blocks of a language, each with the line at which it begins."""
    text = page.read_text()
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match[1] == language:
            yield text[: match.start()].count("\n") + 2, match[2]


def commands(page: Path) -> Iterator[Command]:
    """The commands of a page, with the values of variables. Raises ValueError for a variable that it does not set."""
    variables = {"SPARK_HOME": "/opt/spark"}
    for first, block in fences(page, "sh"):
        number = first
        for lines in re.findall(r"(?:.*\\\n)*.*\n", block):
            place = f"{page.name}, line {number}"
            number += lines.count("\n")
            for words in simple_commands(lines):
                while words and (words[0] in KEYWORDS or ASSIGNMENT.fullmatch(words[0])):
                    assigned = ASSIGNMENT.fullmatch(words.pop(0))
                    if assigned:
                        variables[assigned[1]] = expanded(assigned[2], variables, place)
                if words and words[0] != "for":
                    yield Command(place, [expanded(word, variables, place) for word in words])


def simple_commands(lines: str) -> Iterator[list[str]]:
    """The words of each command between `;`, `&&`, `|` and the like, without redirections."""
    without_comments = re.sub(r"(^|\s)#.*$", "", lines, flags=re.MULTILINE)
    lexer = shlex.shlex(without_comments.replace("\\\n", ""), posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    skip = False
    for word in lexer:
        if word in REDIRECTIONS or skip:
            skip = not skip
        elif set(word) <= set(";&|"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def expanded(word: str, variables: dict[str, str], place: str) -> str:
    """A word with the values of variables."""
    unknown = [name for name in VARIABLE.findall(word) if name not in variables]
    if unknown:
        raise ValueError(f"{place}: expected ${unknown[0]} to be set above, found no line that does")
    return VARIABLE.sub(lambda match: variables[match[1]], word)
