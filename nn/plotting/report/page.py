"""Write the report page: one HTML file with its styles, its scripts and the values of the runs."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from nn.core import files
from nn.plotting.report.run import values_of
from nn.plotting.textfiles import NotWrittenError

NAME = "report.html"
LARGEST_PAGE = 3_000_000  # bytes, but for a first run whose network alone has more
SCRIPTS = (
    *("dom.js", "forward.js", "encoder.js", "strokes.js", "view.js", "axes.js", "lines.js", "points.js"),
    *("overview.js", "training.js", "confusion.js", "examples.js", "regression.js", "weights.js"),
    *("draw.js", "form.js", "settings.js", "main.js"),
)
# Parts of a run that are left out of a page that is full.
HEAVY = ("network", "examples", "weights", "predicted")
FULL = "left out, so that the page stays under 3 MB: write a report of this run alone"
# Characters that could end the element that the values stand in, or a line of a script.
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def write_report(folders: Sequence[Path], target: Path | None) -> Path:
    """Write the page of one or several runs, and return its path; without a target, to the first OUTPUT.

    The same files give the same bytes. Raises BadFileError for a file that is not as runs write it, NotWrittenError.
    """
    runs = [values_of(folder) for folder in folders]
    for run, name in zip(runs, labels_of([run["path"] for run in runs]), strict=True):
        run["label"] = name
    content = page_of(runs).encode("utf-8", "replace")  # a path may hold bytes that are no text
    path = folders[0] / NAME if target is None else target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, content)
    except OSError as error:
        raise NotWrittenError(f"{path}: cannot be written ({error.strerror or error})") from None
    return path


def labels_of(paths: Sequence[str]) -> list[str]:
    """Return a short name for each run: the last part of its path, or as many as tell the runs apart."""
    parts = [Path(path).parts or (path,) for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{number} {path}" for number, path in enumerate(paths, 1)]


def page_of(runs: list[dict[str, Any]]) -> str:
    """Return the page. Parts of later runs that do not fit into LARGEST_PAGE are left out, and it says so."""
    script = "\n".join(_asset(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\nmain();\n}})();\n'
    style = _asset("page.css")
    room = LARGEST_PAGE - len(script) - len(style) - len(_asset("page.html")) - 1000
    fit(runs, room)
    title = " · ".join(filter(None, ["Report", runs[0]["name"], *(run["label"] for run in runs)]))
    values = {
        "TITLE": html.escape(title),
        "POLICY": _policy(script, style),
        "STYLE": style,
        "DATA": json.dumps(runs, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(
            ESCAPES
        ),
        "SCRIPT": script,
    }
    page = _asset("page.html")
    pieces = page.split("@@")  # each value is put in once: none is searched for the name of another
    return "".join(values.get(piece, piece) for piece in pieces)


def fit(runs: list[dict[str, Any]], room: int) -> None:
    """Leave out parts of runs, those of the last run first, until the values have `room` bytes. The first keeps all."""
    size = len(json.dumps(runs))
    for run in reversed(runs[1:]):
        for part in HEAVY:
            if size > room and run.get(part) is not None:
                size -= len(json.dumps(run[part]))
                run[part], run["missing"][part] = None, FULL


def _asset(name: str) -> str:
    """Return a file beside this one, also where the package is a zip file."""
    return resources.files("nn.plotting.report").joinpath(name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """Return a content security policy: nothing is loaded, and no script runs but the page's own."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:"
    )
