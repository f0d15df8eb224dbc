"""Print the last lines of `make train`: the data, the test accuracy, the files of the results, the command to type.

`python -m tools.setup.summary .venv output spark-submit ...` reads output/summary.json.
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from tools.setup.console import SetupError, command, display_path, print_line
from tools.setup.java import find, installed_spark

_RESULTS = (
    ("model", ("model.npz", "model.md")),
    ("numbers", ("summary.json", "history.csv", "confusion_matrix.csv")),
    ("as text", ("cost_history", "accuracy_history", "metrics", "tests")),
)


def read_summary(file: Path) -> dict[str, Any]:
    """Read summary.json. Raises SetupError where it is missing or has no test accuracy."""
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        float(summary["test"]["accuracy"])
        return summary
    except OSError:
        raise SetupError(f"{display_path(file)} is missing: the training wrote no summary") from None
    except (ValueError, KeyError, TypeError):
        raise SetupError(f'{display_path(file)} should have a number at ["test"]["accuracy"]') from None


def data_line(summary: dict[str, Any]) -> str:
    """Return the name and the sizes of the data set, where the summary has them."""
    data = summary.get("data") or {}
    parts = [("train", "training"), ("test", "test")]
    sizes = [f"{data[part]['rows']:,} {word}" for part, word in parts if "rows" in (data.get(part) or {})]
    return str(data.get("name") or "unnamed") + (f", {' and '.join(sizes)} images" if sizes else "")


def result_lines(output: Path) -> list[tuple[str, str]]:
    """Return kinds of results with the names of their files, where these exist."""
    kinds = [(title, [name for name in names if (output / name).exists()]) for title, names in _RESULTS]
    kinds.append(("pictures", sorted(file.name for file in output.glob("*.png"))))
    return [(title, " ".join(names)) for title, names in kinds if names]


def manual_command(words: list[str], java_home: str) -> str:
    """Return the command line for the project's folder where no environment is active."""
    return f'PATH="$PWD/.venv/bin:$PATH" JAVA_HOME={shlex.quote(java_home)} {shlex.join(words)}'


def summary_lines(output: Path, words: list[str], java_home: str) -> list[str]:
    """Return all lines of the summary."""
    summary = read_summary(output / "summary.json")
    rows = [("data", data_line(summary)), ("test accuracy", f"{float(summary['test']['accuracy']):.2%}")]
    rows.append(("results", f"{display_path(output)}/"))
    rows += [("  " + title, names) for title, names in result_lines(output)]
    if (output / "report.html").exists():
        rows.append(("report page", f"{display_path(output / 'report.html')} (open it in a browser)"))
    rows.append(("by hand", manual_command(words, java_home)))
    return [f"{title:<14} {text}" for title, text in rows]


def main(arguments: list[str]) -> None:
    """Print the summary of an output folder."""
    folder, output = (Path(argument).absolute() for argument in arguments[:2])
    java, _ = find(installed_spark(folder), os.environ)
    print_line("")
    for line in summary_lines(output, arguments[2:], str(java.home) if java else ""):
        print_line(line)


if __name__ == "__main__":
    command(main)
