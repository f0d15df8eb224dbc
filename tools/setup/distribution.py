"""Write the folder that a cluster needs: the package as a zip file, the programs, the recipes, and how to submit.

`python -m tools.setup.distribution dist` writes it; docs/clusters/package.md is its README.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from nn.io import package
from tools.setup.console import ROOT, command, display_path, print_line

PROGRAMS = ("main_task.py", "predict_task.py", "generate_plots.py")
README = ROOT / "docs" / "clusters" / "package.md"


def write(folder: Path) -> list[Path]:
    """Write the files and return their paths. Files of other names in the folder stay."""
    package.write_zip(folder / "nn.zip")
    copies = {folder / name: ROOT / name for name in PROGRAMS}
    copies |= {folder / "recipes" / path.name: path for path in sorted((ROOT / "recipes").glob("*.json"))}
    copies[folder / "README.md"] = README
    for target, source in copies.items():
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
    return [folder / "nn.zip", *copies]


def main(arguments: Sequence[str]) -> None:
    """Write the folder that is named first."""
    folder = Path(arguments[0]).absolute()
    paths = write(folder)
    size = sum(path.stat().st_size for path in paths)
    print_line(
        f"Package: {len(paths)} files, {size / 1e6:.1f} MB, in {display_path(folder)}; its README.md says how to submit"
    )


if __name__ == "__main__":
    command(main)
