"""What mkdocs.yml leaves to code: patterns of the nav, anchors as on GitHub, links out of docs/, formulas as MathML."""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from tools.docs.links import anchor_of

ROOT = Path(__file__).parents[2]
PROJECT = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)  # pages beside docs/, which are in the site as project/
LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)")
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)


def on_config(config: Any) -> Any:
    """Fill the nav's patterns, name anchors as GitHub does, and show the version."""
    pages = {path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md")}
    config.nav = filled(config.nav, pages | {f"project/{name}" for name in PROJECT})
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda text, _: anchor_of(text)
    since = "" if released() else ", and what has changed since (CHANGELOG.md, Unreleased)"
    config.copyright = f"Version {version()}{since}"
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie beside docs/."""
    from mkdocs.structure.files import File

    for name in PROJECT:
        content = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, f"project/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to files that are no part of the site into links to the repository, or into their text."""
    here = page.file.src_uri
    known = {file.src_uri for file in files}
    return replaced_links(markdown, here, known, config.repo_url)


def on_page_content(html: str, **_: Any) -> str:
    """Write formulas as MathML, which browsers show by themselves."""
    from latex2mathml.converter import convert

    def as_mathml(match: re.Match[str]) -> str:
        latex = re.sub(
            r"&(lt|gt|amp);", lambda entity: {"lt": "<", "gt": ">", "amp": "&"}[entity[1]], match["latex"]
        )
        return convert(latex.strip(), display="block" if match["tag"] == "div" else "inline")

    return FORMULA.sub(as_mathml, html)


def version() -> str:
    """Return the version of the package."""
    text = (ROOT / "nn" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    assert found is not None
    return found[1]


def released() -> bool:
    """Return whether the changelog names no change after the last version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.search(r"^## \[Unreleased\]\s+## ", text, re.MULTILINE) is not None


def filled(nav: list[Any], pages: set[str]) -> list[Any]:
    """Return the nav with the pages that its patterns match, each once, and without those that are not there."""
    left = pages - set(_named(nav))
    return [entry for item in nav for entry in _entries(item, pages, left)]


def _entries(item: Any, pages: set[str], left: set[str]) -> list[Any]:
    """Return what an entry stands for; a pattern takes its pages from `left`."""
    if isinstance(item, dict):
        ((title, content),) = item.items()
        inner = (
            [e for each in content for e in _entries(each, pages, left)]
            if isinstance(content, list)
            else content
        )
        return [{title: inner}] if inner else []
    if "*" in item:
        found = sorted(page for page in left if fnmatch.fnmatch(page, item))
        left.difference_update(found)
        return found
    return [item] if item in pages else []


def _named(nav: list[Any]) -> list[str]:
    """Return the entries that are no patterns."""
    found: list[str] = []
    for item in nav:
        content = next(iter(item.values())) if isinstance(item, dict) else item
        found += _named(content) if isinstance(content, list) else [content]
    return [entry for entry in found if "*" not in entry]


def replaced_links(markdown: str, here: str, known: set[str], repository: str | None) -> str:
    """Return a page whose links to files lead into the site or to the repository; `here` is its path in the site."""
    # The place of the page in the project, from which its links count.
    source = here.removeprefix("project/") if here.startswith("project/") else f"docs/{here}"

    def replaced(match: re.Match[str]) -> str:
        target, hash_, anchor = match["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        site = f"project/{path}" if path in PROJECT else path.removeprefix("docs/")
        if (path in PROJECT or path.startswith("docs/")) and site in known:
            return f"{match['text']}({os.path.relpath(site, posixpath.dirname(here) or '.')}{hash_}{anchor})"
        if path.startswith("docs/") and f"{site}/README.md" in known:
            return f"{match['text']}({os.path.relpath(site, posixpath.dirname(here) or '.')}/README.md{hash_}{anchor})"
        if repository:
            return f"{match['text']}({repository.rstrip('/')}/blob/main/{path}{hash_}{anchor})"
        return match["text"].strip("![]")

    parts = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(replaced, part) for part in parts)
