"""The last lines of `make train`: the data, the test accuracy, where each result lies, the command to type.

`python -m tools.setup.summary .venv output spark-submit ...` reads output/summary.json.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from tools.setup.console import SetupError, command, print_line, shown
from tools.setup.java import find, spark_in

_RESULTS = (
    ("model", ("model.npz",)),
    ("numbers", ("summary.json", "history.csv", "confusion_matrix.csv")),
    ("as text", ("cost_history", "accuracy_history", "metrics", "tests")),
)


def read(file: Path) -> dict[str, Any]:
    """Read the summary of a run. Raises SetupError if it is missing or invalid."""
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        float(summary["test"]["accuracy"])
        return summary
    except OSError:
        raise SetupError(f"{shown(file)} is missing: the training wrote no summary") from None
    except (ValueError, KeyError, TypeError):
        raise SetupError(f'{shown(file)} should have a number at ["test"]["accuracy"]') from None


def data_line(summary: dict[str, Any]) -> str:
    """Return the data set's name, and its sizes if the summary has them."""
    data = summary.get("data") or {}
    parts = [("train", "training"), ("test", "test")]
    sizes = [f"{data[part]['rows']:,} {word}" for part, word in parts if "rows" in (data.get(part) or {})]
    return str(data.get("name") or "unnamed") + (f", {' and '.join(sizes)} images" if sizes else "")


def result_lines(output: Path) -> list[tuple[str, str]]:
    """Return the titles and names of the results that exist."""
    kinds = [(title, [name for name in names if (output / name).exists()]) for title, names in _RESULTS]
    kinds.append(("pictures", sorted(file.name for file in output.glob("*.png"))))
    return [(title, " ".join(names)) for title, names in kinds if names]


def by_hand(words: list[str], java_home: str) -> str:
    """Return the command to type in the project's folder without an active environment."""
    return f'PATH="$PWD/.venv/bin:$PATH" JAVA_HOME={shlex.quote(java_home)} {shlex.join(words)}'


def lines(output: Path, words: list[str], java_home: str) -> list[str]:
    """Return all lines of the summary."""
    summary = read(output / "summary.json")
    rows = [("data", data_line(summary)), ("test accuracy", f"{float(summary['test']['accuracy']):.2%}")]
    rows.append(("results", f"{shown(output)}/"))
    rows += [("  " + title, names) for title, names in result_lines(output)]
    rows.append(("by hand", by_hand(words, java_home)))
    return [f"{title:<14} {text}" for title, text in rows]


def main(arguments: list[str]) -> None:
    """Print the summary."""
    folder, output = (Path(argument).absolute() for argument in arguments[:2])
    java, _ = find(spark_in(folder), os.environ)
    print_line("")
    for line in lines(output, arguments[2:], str(java.home) if java else ""):
        print_line(line)


if __name__ == "__main__":
    command(main)
