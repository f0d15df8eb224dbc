"""The links of Markdown pages and the anchors of their headings, by GitHub's rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_CODE = re.compile(r"^(```|~~~).*?^\1\s*$|(`+)(?!`).*?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading: lower case, without punctuation, hyphens for blanks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[`*]|<[^>]+>", "", text).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page; headings of one text are numbered."""
    found: set[str] = set()
    without_code = _FENCE.sub("", text)
    for heading in re.findall(r"^#{1,6} +(.+?)#*$", without_code, re.MULTILINE):
        anchor = base = anchor_of(heading)
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", without_code))


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, target) of each link and picture of a page, those in code left out."""
    plain = _CODE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _LINK.finditer(plain):
        yield plain.count("\n", 0, match.start()) + 1, match[1]
    for match in re.finditer(r"(?:href|src)=\"([^\"]+)\"", plain):
        yield plain.count("\n", 0, match.start()) + 1, match[1]


def broken(page: Path, root: Path) -> list[str]:
    """Return a line for each local link of a page whose file or anchor is not there, and for one that leaves `root`."""
    faults = []
    for line, target in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page.resolve()
        place = f"{page.relative_to(root)}, line {line}: {target}"
        if not file.is_relative_to(root.resolve()) or not file.exists():
            faults.append(f"{place}: no such file")
        elif (
            anchor
            and file.suffix == ".md"
            and unquote(anchor) not in anchors(file.read_text(encoding="utf-8"))
        ):
            faults.append(f"{place}: no such heading")
    return faults
