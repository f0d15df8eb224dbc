"""Write the package nn to a zip file, with the same bytes each time, to ship it to a cluster.

`python -m nn.io.package dist/nn.zip` writes the file for spark-submit's --py-files.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from nn.core import files

_ROOT = Path(__file__).resolve().parents[1]
_UNSHIPPED = frozenset({"datasets"})  # folders that no program imports that runs from a zip file
_LOCAL = _UNSHIPPED | {"plotting"}  # those that neither the driver nor the executors import
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: the bytes depend on contents alone


def is_zipped() -> bool:
    """Return whether this code runs from inside a zip file."""
    return not _ROOT.is_dir()


def own_zip() -> str:
    """Return the path of the zip file that this code runs from."""
    return str(_ROOT.parent)


def write_zip(path: str | os.PathLike) -> None:
    """Write the files that a job and generate_plots.py need, and the recipes as nn/recipes/*.json.

    The file is written whole or not at all. Raises ValueError where this code runs from a zip file itself.
    """
    _write(path, {**_modules(_UNSHIPPED), **_page(), **_recipes()})


def temporary_zip() -> str:
    """Write the Python files that a job needs to a zip file, and return its path.

    The file is removed when this process ends.
    """
    folder = tempfile.mkdtemp(prefix="nn-package-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "nn.zip")
    _write(path, _modules(_LOCAL))
    # Named by content: Spark refuses two files of the same name, such as a --py-files nn.zip of another version.
    named = os.path.join(folder, f"nn-{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]}.zip")
    os.rename(path, named)
    return named


def _modules(excluded: frozenset[str]) -> dict[str, Path]:
    """Map names in the zip file to the Python files outside the excluded folders."""
    if is_zipped():
        raise ValueError(f"this code runs from a zip already: copy {_ROOT.parent}")
    paths = {path.relative_to(_ROOT): path for path in _ROOT.rglob("*.py")}
    return {f"nn/{name.as_posix()}": path for name, path in paths.items() if name.parts[0] not in excluded}


def _page() -> dict[str, Path]:
    """Map names in the zip file to the parts of the report page that are not Python."""
    folder = _ROOT / "plotting" / "report"
    paths = (path for path in folder.glob("*") if path.suffix in (".js", ".css", ".html"))
    return {f"nn/{path.relative_to(_ROOT).as_posix()}": path for path in paths}


def _recipes() -> dict[str, Path]:
    """Map names in the zip file to the recipes: inside an installed package, beside nn in a checkout."""
    folder = next((path for path in (_ROOT / "recipes", _ROOT.parent / "recipes") if path.is_dir()), None)
    return {f"nn/recipes/{path.name}": path for path in folder.glob("*.json")} if folder else {}


def _write(path: str | os.PathLike, sources: dict[str, Path]) -> None:
    """Write files to a zip file in the order of their names, without their times and owners."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, sources[name].read_bytes())
    files.write(target, content.getvalue())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nn.io.package ZIP")
    write_zip(sys.argv[1])
    print(sys.argv[1])
