"""Hold docs/troubleshooting.md against the messages of the code: each row of its tables is a family of messages."""

from __future__ import annotations

import re
from pathlib import Path

from tools.docs.messages import PLACEHOLDER, ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
HEADER = "| message | cause | cure |"
LEAST = 8  # letters beside FRAME: a pattern with fewer stands for the template of that form alone
FRAME = re.compile(r"expected|found|got|layer|column|row")


def patterns(page: Path = PAGE) -> list[str]:
    """Return the messages of the page's tables, in which "..." stands for any text."""
    found, is_table = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        is_table = line.startswith("|") and (is_table or line == HEADER)
        if is_table and line != HEADER and not line.startswith("|---"):
            found += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return found


def matches(pattern: str, template: str) -> bool:
    """Return whether a pattern stands for a template, or for its end behind what it is about ("TRAIN_IMAGES: ")."""
    if len(re.sub(r"[^A-Za-z]", "", FRAME.sub("", pattern))) < LEAST:
        return template.replace(PLACEHOLDER, "...").replace("......", "...") == pattern
    expression = ".*".join(map(re.escape, pattern.split("...")))
    return re.fullmatch(rf"(?:{re.escape(PLACEHOLDER)}:? ?)*{expression}", template, re.DOTALL) is not None
