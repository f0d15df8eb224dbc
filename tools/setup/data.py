"""Provide the four data files in data/: those already there, or MNIST from the network, or synthetic digits.

`python -m tools.setup.data .venv`
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.setup.console import ROOT, SetupError, command, print_line
from tools.setup.inside import settings

FOLDER = ROOT / "data"
FILES = [f"mnist_{kind}_{part}.csv" for part in ("train", "test") for kind in ("images", "labels")]


def missing(folder: Path = FOLDER) -> list[str]:
    """Return the names of the data files that are missing or empty."""
    files = [folder / name for name in FILES]
    return [file.name for file in files if not file.is_file() or file.stat().st_size == 0]


def name_of(folder: Path = FOLDER) -> str:
    """Return the name in dataset.json, if there is one."""
    try:
        described = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        return str(described["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unnamed data"


def generate(dataset: str, env: Mapping[str, str]) -> bool:
    """Run generate_data.py, with its output on the console; return whether it succeeded."""
    print_line(f"$ python generate_data.py --dataset {dataset}")
    words = ["python", "generate_data.py", "--dataset", dataset]
    return subprocess.run([env["PYSPARK_PYTHON"], *words[1:]], cwd=ROOT, env=dict(env)).returncode == 0


def provide(env: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Use the files in data/, or else download MNIST, or else draw digits. Raises SetupError."""
    absent = missing(folder)
    if 0 < len(absent) < len(FILES):
        print_line(f"Data: data/ lacks {', '.join(absent)}, all four files are made again")
    if absent and not generate("mnist", env):
        print_line(
            "Data: MNIST could not be downloaded (see above), going on with synthetic digits drawn here"
        )
        if not generate("synthetic", env):
            raise SetupError("no data could be prepared: see above")
    absent = missing(folder)
    if absent:
        raise SetupError(f"generate_data.py succeeded, but data/ lacks {', '.join(absent)}")
    print_line(f"Data: {name_of(folder)} in data/")


def main(arguments: list[str]) -> None:
    """Provide the data with the environment's Python."""
    provide(settings(Path(arguments[0]).absolute(), os.environ))


if __name__ == "__main__":
    command(main)
