import pytest

from tools.setup import packages
from tools.setup.console import Outcome, run

UNKNOWN = Outcome(100, "E: No packages found")


class Machine:
    """Knows some packages, fails some commands, and keeps all it was asked."""

    def __init__(self, manager, installable, fails=()):
        self.name, self.installable, self.fails = manager, installable, fails
        self.asked: list[list[str]] = []

    def which(self, name):
        return f"/usr/bin/{name}" if name == self.name else None

    def run(self, command):
        self.asked.append(list(command))
        if any(part in " ".join(command) for part in self.fails):
            return Outcome(1, "reading lists\nE: it went wrong\nsome more words")
        asks_for_one = "install" in command or "add" in command
        return Outcome(0, "") if not asks_for_one or command[-1] in self.installable else UNKNOWN

    def lines(self):
        return [" ".join(words) for words in self.asked]


def manager_of(name):
    return next(manager for manager in packages.MANAGERS if manager.name == name)


APT = "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120"


def test_apt_refreshes_first_and_installs_the_first_it_has():
    machine = Machine("apt-get", {"openjdk-21-jre-headless", "default-jre-headless"})
    apt = manager_of("apt-get")
    outcome = packages.install_first(apt, apt.java_names([17, 21]), ["sudo", "-n"], machine.run)
    assert outcome == Outcome(0, "openjdk-21-jre-headless")
    assert machine.lines() == [
        f"sudo -n {APT} update",
        "apt-get install --simulate openjdk-17-jre-headless",
        "apt-get install --simulate openjdk-21-jre-headless",
        "apt-get install --simulate default-jre-headless",
        f"sudo -n {APT} install -y --no-install-recommends openjdk-21-jre-headless",
    ]


def test_apt_falls_back_to_the_default_runtime():
    machine = Machine("apt-get", {"default-jre-headless"})
    apt = manager_of("apt-get")
    outcome = packages.install_first(apt, apt.java_names([17, 21]), [], machine.run)
    assert outcome == Outcome(0, "default-jre-headless")


@pytest.mark.parametrize(
    ("name", "installable", "last"),
    [
        ("dnf", "java-21-openjdk-headless", "dnf install -y java-21-openjdk-headless"),
        ("dnf", "java-17-amazon-corretto-headless", "dnf install -y java-17-amazon-corretto-headless"),
        ("yum", "java-17-openjdk-headless", "yum install -y java-17-openjdk-headless"),
        (
            "zypper",
            "java-21-openjdk-headless",
            "zypper --non-interactive install --no-recommends java-21-openjdk-headless",
        ),
        ("apk", "openjdk17-jre-headless", "apk add openjdk17-jre-headless"),
    ],
)
def test_each_manager_is_asked_in_its_own_words(name, installable, last):
    machine = Machine(name, {installable})
    assert packages.find_manager(machine.which) == manager_of(name)
    names = manager_of(name).java_names([17, 21])
    assert packages.install_first(manager_of(name), names, [], machine.run) == Outcome(0, installable)
    assert machine.lines()[-1] == last


def test_a_failed_refresh_is_the_reason_only_where_nothing_is_known():
    apt = manager_of("apt-get")
    offline = Machine("apt-get", set(), fails=["update"])
    assert packages.install_first(apt, ["a"], [], offline.run).reason == (
        "its package lists could not be fetched (E: it went wrong)"
    )
    one_bad_source = Machine("apt-get", {"a"}, fails=["update"])
    assert packages.install_first(apt, ["a"], [], one_bad_source.run) == Outcome(0, "a")
    empty = Machine("apt-get", set())
    assert packages.install_first(apt, ["a", "b"], [], empty.run).reason == "it has none of a, b"


def test_a_failed_install_gives_its_last_error_line():
    machine = Machine("dnf", set(), fails=["install"])
    assert packages.install_first(manager_of("dnf"), ["a"], [], machine.run).reason == "E: it went wrong"


def test_rights_are_roots_or_those_of_sudo_without_a_password():
    def asks_for_password(command):
        return Outcome(1, "sudo: a password is required")

    def agrees(command):
        return Outcome(0, "")

    def there(name):
        return f"/usr/bin/{name}"

    assert packages.privilege_prefix(asks_for_password, there, user=0) == []
    assert packages.privilege_prefix(agrees, there, user=1000) == ["sudo", "-n"]
    assert packages.privilege_prefix(asks_for_password, there, user=1000) is None
    assert packages.privilege_prefix(agrees, lambda name: None, user=1000) is None


def test_typed_is_what_a_person_types():
    apt = manager_of("apt-get")
    assert packages.install_command(apt, "x", user=1000) == "sudo apt-get update && sudo apt-get install x"
    assert packages.install_command(apt, "x", user=0) == "apt-get update && apt-get install x"
    assert packages.install_command(manager_of("dnf"), "x", user=0) == "dnf install x"


def test_run_turns_a_missing_program_and_a_slow_one_into_outcomes():
    assert run(["/nonexistent/program"]) == Outcome(127, "/nonexistent/program: No such file or directory")
    assert run(["sleep", "5"], timeout=0.05) == Outcome(124, "sleep did not end within 0.05 s")
    assert run(["sh", "-c", "echo out; echo err >&2; exit 3"]) == Outcome(3, "out\nerr\n")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "exit code 1"),
        ("one\ntwo\n\n", "two"),
        ("ERROR: No matching distribution\n[notice] a new pip\n", "ERROR: No matching distribution"),
        ("E: Unable to locate package x\n", "E: Unable to locate package x"),
    ],
)
def test_reason_is_the_line_that_says_why(output, reason):
    assert Outcome(1, output).reason == reason
