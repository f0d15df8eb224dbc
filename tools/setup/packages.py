"""The system's package manager: its commands, the names of its packages, and whether this user may install."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tools.setup.console import Outcome, Runner, run

Which = Callable[[str], str | None]


class Manager(NamedTuple):
    """A package manager's commands and the names of its packages."""

    name: str
    refresh: tuple[str, ...]  # brings its lists up to date; empty where installing does so
    install: tuple[str, ...]
    by_hand: tuple[str, ...]  # the same for the user to type, {} for the package
    java: str  # the headless runtime of a Java version
    other_java: tuple[str, ...]  # tried last: their Java differs from release to release
    venv: str  # what holds venv, ensurepip and pip

    def java_names(self, majors: Iterable[int]) -> list[str]:
        """Return the packages to try, in the order of `majors`."""
        return [self.java.format(major=major) for major in majors] + list(self.other_java)


# A machine that has just started may hold apt's lock for its own updates: wait for it.
_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120")
_ZYPPER = ("zypper", "--non-interactive")


def _red_hat(name: str) -> Manager:
    """Return the manager dnf, or the older yum, which has the same commands."""
    other = ("java-17-amazon-corretto-headless", "java-latest-openjdk-headless")
    install = (name, "install", "-y")
    java = "java-{major}-openjdk-headless"
    return Manager(name, (), install, (f"{name} install {{}}",), java, other, "python3-pip")


MANAGERS = (
    Manager(
        "apt-get",
        refresh=(*_APT, "update"),
        install=(*_APT, "install", "-y", "--no-install-recommends"),
        by_hand=("apt-get update", "apt-get install {}"),
        java="openjdk-{major}-jre-headless",
        other_java=("default-jre-headless",),
        venv="python{python}-venv",
    ),
    _red_hat("dnf"),
    _red_hat("yum"),
    Manager(
        "zypper",
        refresh=(*_ZYPPER, "refresh"),
        install=(*_ZYPPER, "install", "--no-recommends"),
        by_hand=("zypper install {}",),
        java="java-{major}-openjdk-headless",
        other_java=(),
        venv="python3-pip",
    ),
    Manager(
        "apk",
        refresh=("apk", "update"),
        install=("apk", "add"),
        by_hand=("apk add {}",),
        java="openjdk{major}-jre-headless",
        other_java=(),
        venv="python3 py3-pip",
    ),
)


def find_manager(which: Which = shutil.which) -> Manager | None:
    """Return the first known package manager in PATH."""
    return next((manager for manager in MANAGERS if which(manager.name)), None)


def rights(run: Runner = run, which: Which = shutil.which, user: int | None = None) -> list[str] | None:
    """Return the words before a command that changes the system; None if this user may not.

    None are needed for root; for others sudo, if it asks for no password.
    """
    if (os.geteuid() if user is None else user) == 0:
        return []
    if which("sudo") and run(["sudo", "-n", "true"]).ok:
        return ["sudo", "-n"]
    return None


def typed(manager: Manager, package: str, user: int | None = None) -> str:
    """Return the command to type to install a package."""
    sudo = "" if (os.geteuid() if user is None else user) == 0 else "sudo "
    return " && ".join(sudo + command.format(package) for command in manager.by_hand)


def known(manager: Manager, names: Sequence[str], run: Runner = run) -> list[str]:
    """Return the names that this system has; all of them if it cannot be asked."""
    if manager.name != "apt-get":
        return list(names)
    return [name for name in names if run(["apt-get", "install", "--simulate", name]).ok]


def install_first(
    manager: Manager, names: Sequence[str], prefix: Sequence[str], run: Runner = run
) -> Outcome:
    """Install the first of these packages that the system has; the outcome's output is its name."""
    refreshed = run([*prefix, *manager.refresh]) if manager.refresh else Outcome(0, "")
    # A refresh that failed for one source must not hide the others: what the lists hold decides.
    outcome = Outcome(1, f"it has none of {', '.join(names)}")
    if not refreshed.ok or "Failed to fetch" in refreshed.output:  # apt-get calls the latter a success
        outcome = Outcome(1, f"its package lists could not be fetched ({refreshed.reason})")
    for name in known(manager, names, run):
        outcome = run([*prefix, *manager.install, name])
        if outcome.ok:
            return Outcome(0, name)
    return outcome
