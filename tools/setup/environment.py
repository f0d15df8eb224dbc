"""Make a virtual environment and install a requirements file into it, once.

`python -m tools.setup.environment .venv requirements.txt` does nothing if neither has changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.setup import packages
from tools.setup.console import SetupError, command, print_line, run, shown

_ELSEWHERE = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_PROBE = "import sys, pip; print('%d.%d' % sys.version_info[:2], sys.prefix)"


def included(requirements: Path) -> list[Path]:
    """Return a requirements file and those it includes with -r, each before the one that includes it."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    names = [found.group(1) for line in lines if (found := re.match(r"\s*-r\s+(\S+)", line))]
    return [file for name in names for file in included(requirements.parent / name)] + [requirements]


def digest(requirements: Path) -> str:
    """Return a hash of a requirements file and those it includes."""
    text = b"\n".join(file.read_bytes() for file in included(requirements))
    return hashlib.sha256(text).hexdigest()[:16]


def stamp(folder: Path, requirements: Path) -> Path:
    """Return the path of the file that marks these requirements as installed."""
    return folder / f".installed-{requirements.name}"


def python_of(folder: Path) -> Path:
    """Return the path of the environment's Python."""
    return folder / "bin" / "python"


def version_of(folder: Path) -> str | None:
    """Return the version of the environment's Python; None if it does not run or has no pip."""
    outcome = run([str(python_of(folder)), "-c", _PROBE], env=clean(os.environ), timeout=60)
    version, _, prefix = outcome.output.strip().rpartition("\n")[2].partition(" ")
    return version if outcome.ok and Path(prefix).resolve() == folder.resolve() else None


def defect(folder: Path) -> str | None:
    """Return in a few words why an existing environment cannot be used; None if it can."""
    version = version_of(folder)
    if version is None:
        return "its Python or pip does not run"
    if tuple(map(int, version.split("."))) < (3, 10):
        return f"it has Python {version}, 3.10 or newer is needed"
    for file in folder.glob(".installed-*"):
        _, python, home, *_ = [*file.read_text(encoding="utf-8").split("\n"), "", ""]
        if home != str(folder):
            return f"it was made in {home}"
        if python != version:
            return f"it was made with Python {python}, which is {version} now"
    return None


def up_to_date(folder: Path, requirements: Path) -> bool:
    """Return whether exactly these requirements were installed here completely."""
    file = stamp(folder, requirements)
    return file.is_file() and file.read_text(encoding="utf-8").startswith(digest(requirements) + "\n")


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that make Python or pip search or install elsewhere."""
    return {name: value for name, value in env.items() if name not in _ELSEWHERE}


def missing_modules() -> str | None:
    """Return the line with the command to type if this Python cannot make an environment; None if it can."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    manager = packages.find_manager()
    advice = packages.typed(manager, manager.venv.format(python=python)) if manager else "install them"
    return f"Python {python} ({sys.executable}) lacks {' and '.join(missing)}; type: {advice}"


def create(folder: Path) -> None:
    """Make a new environment with the Python that runs this. Raises SetupError."""
    lacking = missing_modules()
    if lacking:
        raise SetupError(lacking)
    print_line(f"Environment: making {shown(folder)} with Python {sys.version.split()[0]}")
    # The Python below an active environment, which may be the very one that was just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    outcome = run([python, "-m", "venv", str(folder)], env=clean(os.environ))
    if not outcome.ok or version_of(folder) is None:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(f"{shown(folder)} could not be made: {outcome.reason}")


def remove(folder: Path, why: str) -> None:
    """Remove an environment that cannot be used. Raises SetupError for a folder that is none."""
    if not folder.is_symlink() and not (folder / "pyvenv.cfg").is_file() and any(folder.iterdir()):
        raise SetupError(f"{shown(folder)} is no virtual environment: move it away and run make again")
    print_line(f"Environment: {shown(folder)} is made again, {why}")
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def install(folder: Path, requirements: Path) -> None:
    """Install the requirements with pip and mark them as installed; the output of pip is kept in a log."""
    what = f"{shown(requirements)} into {shown(folder)}"
    print_line(f"Environment: installing {what} (Spark is large: this can take minutes)")
    began = time.monotonic()
    pip = [str(python_of(folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    outcome = run([*pip, "-r", str(requirements)], env=clean(os.environ), timeout=7200)
    log = folder / "pip.log"
    log.write_text(outcome.output, encoding="utf-8")
    if not outcome.ok:
        offline = ", the package index was not reached" if "Retrying (" in outcome.output else ""
        raise SetupError(f"pip could not install {what}{offline}: {outcome.reason} (log: {shown(log)})")
    for file in included(requirements):
        lines = [digest(file), version_of(folder) or "", str(folder)]
        stamp(folder, file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print_line(f"Environment: installed in {time.monotonic() - began:.0f} s")


def prepare(folder: Path, requirements: Path) -> None:
    """Make the environment if needed, and install the requirements if they are not installed."""
    if folder.exists() or folder.is_symlink():
        why = defect(folder)
        if why:
            remove(folder, why)
    if not folder.exists():
        create(folder)
    if not up_to_date(folder, requirements):
        install(folder, requirements)


def main(arguments: list[str]) -> None:
    """Prepare the environment named first with the requirements named second."""
    folder, requirements = (Path(argument).absolute() for argument in arguments)
    prepare(folder, requirements)


if __name__ == "__main__":
    command(main)
