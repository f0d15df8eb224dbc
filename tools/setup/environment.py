"""Create a virtual environment and install a requirements file into it, once.

`python -m tools.setup.environment .venv requirements.txt` does nothing where both are unchanged.
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
from tools.setup.console import SetupError, command, display_path, print_line, run

_REDIRECTS = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_PROBE = "import sys, pip; print('%d.%d' % sys.version_info[:2], sys.prefix)"


def requirement_files(requirements: Path) -> list[Path]:
    """Return a requirements file after the files that it includes with -r."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    names = [match.group(1) for line in lines if (match := re.match(r"\s*-r\s+(\S+)", line))]
    return [file for name in names for file in requirement_files(requirements.parent / name)] + [requirements]


def digest(requirements: Path) -> str:
    """Return a hash of the contents of a requirements file and of the files that it includes."""
    text = b"\n".join(file.read_bytes() for file in requirement_files(requirements))
    return hashlib.sha256(text).hexdigest()[:16]


def stamp_path(folder: Path, requirements: Path) -> Path:
    """Return the path of the file that records that these requirements are installed."""
    return folder / f".installed-{requirements.name}"


def python_path(folder: Path) -> Path:
    """Return the path of the environment's Python."""
    return folder / "bin" / "python"


def python_version(folder: Path) -> str | None:
    """Return the version of the environment's Python; None where it does not run or has no pip."""
    outcome = run([str(python_path(folder)), "-c", _PROBE], env=without_redirects(os.environ), timeout=60)
    version, _, prefix = outcome.output.strip().rpartition("\n")[2].partition(" ")
    return version if outcome.ok and Path(prefix).resolve() == folder.resolve() else None


def defect(folder: Path) -> str | None:
    """Return why an existing environment cannot be used, in a few words; None where it can."""
    version = python_version(folder)
    if version is None:
        return "its Python or pip does not run"
    if tuple(map(int, version.split("."))) < (3, 10):
        return f"it has Python {version}, 3.10 or newer is needed"
    for file in folder.glob(".installed-*"):
        _, python, location, *_ = [*file.read_text(encoding="utf-8").split("\n"), "", ""]
        if location != str(folder):
            return f"it was made in {location}"
        if python != version:
            return f"it was made with Python {python}, which is {version} now"
    return None


def up_to_date(folder: Path, requirements: Path) -> bool:
    """Return whether exactly these requirements are installed completely."""
    file = stamp_path(folder, requirements)
    return file.is_file() and file.read_text(encoding="utf-8").startswith(digest(requirements) + "\n")


def without_redirects(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that make Python import, or pip install, elsewhere."""
    return {name: value for name, value in env.items() if name not in _REDIRECTS}


def missing_modules() -> str | None:
    """Return the command to type where this Python cannot create an environment; None where it can."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    manager = packages.find_manager()
    advice = (
        packages.install_command(manager, manager.venv.format(python=python)) if manager else "install them"
    )
    return f"Python {python} ({sys.executable}) lacks {' and '.join(missing)}; type: {advice}"


def create(folder: Path) -> None:
    """Create an environment with the Python that runs this. Raises SetupError where it cannot."""
    missing = missing_modules()
    if missing:
        raise SetupError(missing)
    print_line(f"Environment: making {display_path(folder)} with Python {sys.version.split()[0]}")
    # The Python below an active environment, which may be the very one that was just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    outcome = run([python, "-m", "venv", str(folder)], env=without_redirects(os.environ))
    if not outcome.ok or python_version(folder) is None:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(f"{display_path(folder)} could not be made: {outcome.reason}")


def remove(folder: Path, reason: str) -> None:
    """Remove an environment that cannot be used. Raises SetupError for a folder that is no environment."""
    if not folder.is_symlink() and not (folder / "pyvenv.cfg").is_file() and any(folder.iterdir()):
        raise SetupError(f"{display_path(folder)} is no virtual environment: move it away and run make again")
    print_line(f"Environment: {display_path(folder)} is made again, {reason}")
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def install(folder: Path, requirements: Path) -> None:
    """Install the requirements with pip, write its output to pip.log, and record what is installed."""
    task = f"{display_path(requirements)} into {display_path(folder)}"
    print_line(f"Environment: installing {task} (Spark is large: this can take minutes)")
    began = time.monotonic()
    pip = [str(python_path(folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    outcome = run([*pip, "-r", str(requirements)], env=without_redirects(os.environ), timeout=7200)
    log = folder / "pip.log"
    log.write_text(outcome.output, encoding="utf-8")
    if not outcome.ok:
        offline = ", the package index was not reached" if "Retrying (" in outcome.output else ""
        raise SetupError(
            f"pip could not install {task}{offline}: {outcome.reason} (log: {display_path(log)})"
        )
    for file in requirement_files(requirements):
        lines = [digest(file), python_version(folder) or "", str(folder)]
        stamp_path(folder, file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print_line(f"Environment: installed in {time.monotonic() - began:.0f} s")


def prepare(folder: Path, requirements: Path) -> None:
    """Create or repair an environment and install the requirements, where that is needed."""
    if folder.exists() or folder.is_symlink():
        reason = defect(folder)
        if reason:
            remove(folder, reason)
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
