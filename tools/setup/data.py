"""Have four data files in data/: those already there, else MNIST from the network, else digits drawn here.

`python -m tools.setup.data .venv`
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.setup.console import ROOT, SetupError, command, say
from tools.setup.inside import settings

FOLDER = ROOT / "data"
FILES = [f"mnist_{kind}_{part}.csv" for part in ("train", "test") for kind in ("images", "labels")]


def missing(folder: Path = FOLDER) -> list[str]:
    """The data files that are not there or are empty."""
    files = [folder / name for name in FILES]
    return [file.name for file in files if not file.is_file() or file.stat().st_size == 0]


def name_of(folder: Path = FOLDER) -> str:
    """What dataset.json calls the data, where there is one."""
    try:
        described = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        return str(described["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unnamed data"


def generate(dataset: str, env: Mapping[str, str]) -> bool:
    """Run generate_data.py, whose progress and errors the user sees."""
    say(f"$ python generate_data.py --dataset {dataset}")
    words = ["python", "generate_data.py", "--dataset", dataset]
    return subprocess.run([env["PYSPARK_PYTHON"], *words[1:]], cwd=ROOT, env=dict(env)).returncode == 0


def provide(env: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Use the files in data/, else download MNIST, else draw digits."""
    absent = missing(folder)
    if 0 < len(absent) < len(FILES):
        say(f"Data: data/ lacks {', '.join(absent)}, all four files are made again")
    if absent and not generate("mnist", env):
        say("Data: MNIST could not be downloaded (see above), going on with synthetic digits drawn here")
        if not generate("synthetic", env):
            raise SetupError("no data could be prepared: see above")
    absent = missing(folder)
    if absent:
        raise SetupError(f"generate_data.py ended well, but data/ lacks {', '.join(absent)}")
    say(f"Data: {name_of(folder)} in data/")


def main(arguments: list[str]) -> None:
    """Provide the data with the environment's Python."""
    provide(settings(Path(arguments[0]).absolute(), os.environ))


if __name__ == "__main__":
    command(main)
