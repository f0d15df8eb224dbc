import os
import stat
from pathlib import Path

import pytest

from tools.setup import java
from tools.setup.console import Outcome, SetupError
from tools.setup.java import Spark

OPENJDK = """openjdk version "{0}" 2025-04-15
OpenJDK Runtime Environment (build {0}+6-Debian-1deb12u1)
OpenJDK 64-Bit Server VM (build {0}+6-Debian-1deb12u1, mixed mode, sharing)
"""
ORACLE_8 = """java version "1.8.0_402"
Java(TM) SE Runtime Environment (build 1.8.0_402-b08)
Java HotSpot(TM) 64-Bit Server VM (build 25.402-b08, mixed mode)
"""
GRAAL = """java version "21.0.2" 2024-01-16 LTS
Java(TM) SE Runtime Environment Oracle GraalVM 21.0.2+13.1 (build 21.0.2+13-LTS-jvmci-23.1-b30)
Java HotSpot(TM) 64-Bit Server VM Oracle GraalVM 21.0.2+13.1 (build 21.0.2+13-LTS-jvmci-23.1-b30, mixed mode)
"""
OPENJ9 = """openjdk version "17.0.10" 2024-01-16
IBM Semeru Runtime Open Edition 17.0.10.0 (build 17.0.10+7)
Eclipse OpenJ9 VM 17.0.10.0 (build openj9-0.43.0, JRE 17 Linux amd64-64-Bit Compressed References)
"""
EARLY = 'openjdk version "25-ea" 2025-09-16\nOpenJDK Runtime Environment (build 25-ea+13-1234)\n'
BARE = 'openjdk version "21" 2023-09-19\n'
TOOL_OPTIONS = "Picked up JAVA_TOOL_OPTIONS: -Dnote=some version\n" + OPENJDK.format("11.0.2")
MAC_STUB = "The operation couldn’t be completed. Unable to locate a Java Runtime.\n"

SPARK_4 = Spark("4.3.0")


@pytest.mark.parametrize(
    ("output", "version", "major"),
    [
        (ORACLE_8, "1.8.0_402", 8),
        (OPENJDK.format("11.0.2"), "11.0.2", 11),
        (OPENJDK.format("17.0.15"), "17.0.15", 17),
        (BARE, "21", 21),
        (EARLY, "25-ea", 25),
        (GRAAL, "21.0.2", 21),
        (OPENJ9, "17.0.10", 17),
        (TOOL_OPTIONS, "11.0.2", 11),
        ("    java.version.date = 2025-04-15\n" + OPENJDK.format("9.0.4"), "9.0.4", 9),
    ],
)
def test_version_in_reads_what_java_prints(output, version, major):
    assert java.parse_version(output) == version
    assert java.major_version(version) == major


@pytest.mark.parametrize(
    "output", ["", MAC_STUB, "bash: java: command not found", 'openjdk version "internal"']
)
def test_version_in_finds_none_where_none_is_named(output):
    assert java.parse_version(output) is None


@pytest.mark.parametrize(
    ("spark", "fits", "does_not"),
    [
        ("3.5.9", [8, 11, 17, 21], [7, 25]),
        ("4.0.1", [17, 21], [8, 11, 16, 23, 25]),
        ("4.1.0", [17, 21], [11, 25]),
        ("4.2.0", [17, 21, 25], [11, 26]),
        ("4.3.0.dev0", [17, 21, 25], [11, 26]),
        ("4.10.0", [17, 25], [11]),
    ],
)
def test_spark_knows_its_javas(spark, fits, does_not):
    assert all(major in Spark(spark).javas for major in fits)
    assert not any(major in Spark(spark).javas for major in does_not)


def fake_java(home: Path, version: str, says_home: bool = True, modules: bool = True) -> Path:
    """A script that answers as that Java would."""
    file = home / "bin" / "java"
    file.parent.mkdir(parents=True)
    refusal = "" if modules else 'case "$1" in --add-modules*) echo "Module not found" >&2; exit 1;; esac\n'
    home_line = f"    java.home = {home}\n" if says_home else ""
    text = f"Property settings:\n{home_line}\n{OPENJDK.format(version)}"
    file.write_text(f"#!/bin/sh\n{refusal}cat >&2 <<'END'\n{text}END\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def search(tmp_path: Path) -> dict:
    return {"patterns": [str(tmp_path / "jvm" / "*")], "local": tmp_path / ".java"}


def path_of(*folders: Path) -> str:
    return os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]) if folders else "/nonexistent"


def test_ask_takes_the_folder_java_names_itself(tmp_path):
    real = tmp_path / "real home"
    fake_java(real, "17.0.15")
    link = tmp_path / "bin" / "java"
    link.parent.mkdir()
    link.write_text(f'#!/bin/sh\nexec "{real}/bin/java" "$@"\n', encoding="utf-8")
    link.chmod(0o755)
    assert java.probe(link) == java.Java(real, "17.0.15")


def test_ask_follows_a_link_where_java_names_no_folder(tmp_path):
    file = fake_java(tmp_path / "jdk", "17.0.15", says_home=False)
    (tmp_path / "java").symlink_to(file)
    assert java.probe(tmp_path / "java") == java.Java(tmp_path / "jdk", "17.0.15")


def test_ask_gives_none_for_what_does_not_run(tmp_path):
    (tmp_path / "java").write_text("no program", encoding="utf-8")
    assert java.probe(tmp_path / "java") is None
    assert java.probe(tmp_path / "missing") is None


def test_find_prefers_java_home_to_path_to_the_usual_places(tmp_path):
    for name, version in [("home", "21.0.1"), ("path", "17.0.1"), ("jvm/one", "17.0.2")]:
        fake_java(tmp_path / name, version)
    env = {"JAVA_HOME": str(tmp_path / "home"), "PATH": path_of(tmp_path / "path" / "bin")}
    assert java.find(SPARK_4, env, **search(tmp_path)) == (java.Java(tmp_path / "home", "21.0.1"), [])
    del env["JAVA_HOME"]
    assert java.find(SPARK_4, env, **search(tmp_path))[0] == java.Java(tmp_path / "path", "17.0.1")
    env["PATH"] = path_of()
    assert java.find(SPARK_4, env, **search(tmp_path))[0] == java.Java(tmp_path / "jvm" / "one", "17.0.2")


def test_find_says_why_a_named_java_is_not_used(tmp_path):
    fake_java(tmp_path / "old", "1.8.0_402", modules=False)
    fake_java(tmp_path / "jvm" / "new", "17.0.15")
    (tmp_path / "broken" / "bin").mkdir(parents=True)
    env = {"JAVA_HOME": str(tmp_path / "broken"), "PATH": path_of(tmp_path / "old" / "bin")}
    found, refused = java.find(SPARK_4, env, **search(tmp_path))
    assert found == java.Java(tmp_path / "jvm" / "new", "17.0.15")
    assert refused == [
        f"JAVA_HOME gives no Java that runs: {tmp_path}/broken/bin/java",
        "PATH gives Java 1.8.0_402",
    ]


def test_find_takes_the_version_most_tried_among_the_installed(tmp_path):
    for version in ("1.8.0_402", "21.0.2", "17.0.15", "19.0.1", "26-ea"):
        fake_java(tmp_path / "jvm" / version, version)

    def found(spark: Spark) -> str | None:
        best, _ = java.find(spark, {"PATH": path_of()}, **search(tmp_path))
        return best.version if best else None

    for best in ("17.0.15", "21.0.2", "19.0.1"):
        assert found(SPARK_4) == best
        (tmp_path / "jvm" / best / "bin" / "java").unlink()
    assert found(SPARK_4) is None
    assert found(Spark("3.5.9")) == "1.8.0_402"


def test_find_sees_the_projects_folder_also_in_apples_layout(tmp_path):
    fake_java(tmp_path / ".java" / "jdk-17-jre" / "Contents" / "Home", "17.0.15")
    found, _ = java.find(SPARK_4, {"PATH": path_of()}, **search(tmp_path))
    assert found is not None and found.home == tmp_path / ".java" / "jdk-17-jre" / "Contents" / "Home"


def test_find_passes_over_a_trimmed_runtime_that_spark_4_cannot_start(tmp_path):
    fake_java(tmp_path / "jvm" / "trimmed", "17.0.15", modules=False)
    assert java.find(SPARK_4, {"PATH": path_of()}, **search(tmp_path))[0] is None
    assert java.find(Spark("3.5.9"), {"PATH": path_of()}, **search(tmp_path))[0] is not None


def test_spark_in_reads_the_version_without_importing_it(tmp_path):
    package = tmp_path / "lib" / "python3.11" / "site-packages" / "pyspark"
    package.mkdir(parents=True)
    (package / "version.py").write_text('__version__: str = "4.3.0"\n', encoding="utf-8")
    assert java.installed_spark(tmp_path) == SPARK_4
    with pytest.raises(SetupError, match="has no pyspark"):
        java.installed_spark(tmp_path / "elsewhere")


class Machine:
    """Answers commands as a machine would and keeps them."""

    def __init__(self, answers: dict[str, Outcome]):
        self.answers = answers
        self.asked: list[str] = []

    def run(self, command):
        words = " ".join(command)
        self.asked.append(words)
        return next((answer for part, answer in self.answers.items() if part in words), Outcome(0, ""))


def test_install_in_project_leaves_nothing_behind_when_the_download_fails(tmp_path):
    (tmp_path / ".venv").mkdir()
    machine = Machine({"-c": Outcome(1, "error: <urlopen error [Errno -2] Name or service not known>")})
    outcome = java.install_in_project(SPARK_4, tmp_path / ".venv", "JRE", tmp_path / ".java", machine.run)
    assert outcome == Outcome(1, "install-jdk: <urlopen error [Errno -2] Name or service not known>")
    assert not (tmp_path / ".java").exists() and list((tmp_path / ".venv").iterdir()) == []


def test_install_in_project_keeps_what_was_unpacked(tmp_path):
    def run(command):
        if "-c" in command:
            (Path(command[-1]) / "jdk-17.0.15+6-jre" / "bin").mkdir(parents=True)
        return Outcome(0, "")

    (tmp_path / ".venv").mkdir()
    assert java.install_in_project(SPARK_4, tmp_path / ".venv", "JRE", tmp_path / ".java", run).ok
    assert [folder.name for folder in (tmp_path / ".java").iterdir()] == ["jdk-17.0.15+6-jre"]


def test_provide_says_in_one_line_what_failed_and_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setattr(java, "find", lambda spark, env: (None, []))
    monkeypatch.setattr(java, "install_with_system", lambda spark: Outcome(1, "apt-get needs root"))
    monkeypatch.setattr(java, "install_in_project", lambda *_: Outcome(1, "install-jdk: no network"))
    monkeypatch.setattr(java, "advice", lambda spark: "sudo apt-get install openjdk-17-jre-headless")
    with pytest.raises(SetupError) as caught:
        java.provide(SPARK_4, tmp_path, {})
    assert str(caught.value) == (
        "Spark 4.3.0 needs Java 17 to 25; none is here and none could be had "
        "(apt-get needs root; install-jdk: no network); type: sudo apt-get install openjdk-17-jre-headless"
    )


def test_provide_installs_until_a_java_fits(monkeypatch, tmp_path):
    done: list[str] = []

    def find(spark, env):
        return (java.Java(tmp_path, "17.0.15") if "JRE" in done else None), []

    def with_system(spark):
        done.append("system")
        return Outcome(1, "apt-get needs root")

    def in_project(spark, environment, kind):
        done.append(kind)
        return Outcome(0, "")

    monkeypatch.setattr(java, "find", find)
    monkeypatch.setattr(java, "install_with_system", with_system)
    monkeypatch.setattr(java, "install_in_project", in_project)
    assert java.provide(SPARK_4, tmp_path, {}).version == "17.0.15"
    assert done == ["system", "JRE"]


def test_install_with_system_says_why_it_may_not(monkeypatch):
    refused = Machine({"sudo": Outcome(1, "sudo: a password is required")})
    outcome = java.install_with_system(SPARK_4, refused.run, lambda name: None)
    assert outcome.reason == "no package manager known to this set-up"
    monkeypatch.setattr(java.os, "geteuid", lambda: 1000)
    outcome = java.install_with_system(SPARK_4, refused.run, lambda name: f"/usr/bin/{name}")
    assert outcome.reason == "apt-get needs root"


def test_advice_names_a_package_the_distribution_has(monkeypatch):
    monkeypatch.setattr(java.os, "geteuid", lambda: 1000)
    trixie = Machine({"--simulate openjdk-17": Outcome(100, "E: No packages found")})
    advice_text = java.advice(
        SPARK_4, trixie.run, lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    assert advice_text == "sudo apt-get update && sudo apt-get install openjdk-21-jre-headless"
    monkeypatch.setattr(java.platform, "system", lambda: "Darwin")
    assert java.advice(SPARK_4, trixie.run, lambda name: None) == "brew install openjdk@17"
