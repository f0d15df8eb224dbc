"""Zip the package nn for executors; the same files give the same bytes.

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
_LEFT_OUT = {"datasets", "plotting"}  # neither the job nor its executors need them
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: the bytes depend on contents alone


def is_zipped() -> bool:
    """Return whether this code runs from a zip."""
    return not _ROOT.is_dir()


def write_zip(path: str | os.PathLike) -> None:
    """Write the package's Python files to a zip, completely or not at all. Raises ValueError if run from a zip."""
    if is_zipped():
        raise ValueError(f"this code runs from a zip already: copy {_ROOT.parent}")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted(_ROOT.rglob("*.py")):
            if source.relative_to(_ROOT).parts[0] in _LEFT_OUT:
                continue
            entry = zipfile.ZipInfo(source.relative_to(_ROOT.parent).as_posix(), _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source.read_bytes())
    files.write(target, content.getvalue())


def temporary_zip() -> str:
    """Write a zip of the package that is removed when this process ends; return its path."""
    folder = tempfile.mkdtemp(prefix="nn-package-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "nn.zip")
    write_zip(path)
    # Named by content: Spark refuses two files of the same name, such as a --py-files nn.zip of another version.
    named = os.path.join(folder, f"nn-{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]}.zip")
    os.rename(path, named)
    return named


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nn.io.package ZIP")
    write_zip(sys.argv[1])
    print(sys.argv[1])
