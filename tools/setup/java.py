"""Find a Java that the installed Spark runs on, or install a headless one.

`python -m tools.setup.java .venv` says which Java it is, or in one line what to type.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.setup import packages
from tools.setup.console import ROOT, Outcome, Runner, SetupError, command, print_line, run, shown

LOCAL = ROOT / ".java"

# Spark's documentation: 3.5 runs on Java 8/11/17, 4.0 and 4.1 on 17/21, 4.2 and later on 17/21/25. Beyond it:
# 3.5 was seen to run RDD jobs on 21 and not to start on 25; Hadoop's client in 4.0 and 4.1 fails from 23 on.
_VERSIONS = (((4, 2), range(17, 26)), ((4, 0), range(17, 23)), ((3, 5), range(8, 22)))
_PREFERRED = (17, 21, 25, 11, 8)  # every Spark here runs on 17

_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/lib64/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*",
    "/usr/local/opt/openjdk*",
    "~/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
    "~/.jdk/*",
    "~/.jre/*",
)


class Java(NamedTuple):
    """A Java that runs: its folder and version."""

    home: Path
    version: str

    @property
    def major(self) -> int:
        """Return 17 for 17.0.15."""
        return major_of(self.version)


class Spark(NamedTuple):
    """The Spark that needs a Java."""

    version: str

    @property
    def javas(self) -> range:
        """Return the Java versions that it runs on."""
        number = tuple(int(part) for part in re.findall(r"\d+", self.version)[:2])
        return next((javas for since, javas in _VERSIONS if number >= since), _VERSIONS[-1][1])

    @property
    def modules(self) -> list[str]:
        """Return the options with modules that spark-submit needs; some reduced runtimes lack them."""
        return ["--add-modules=jdk.incubator.vector"] if not self.version.startswith("3.") else []

    @property
    def wanted(self) -> str:
        """Return a sentence on the versions of Java that it needs."""
        return f"Spark {self.version} needs Java {self.javas[0]} to {self.javas[-1]}"


def spark_in(environment: Path) -> Spark:
    """Return the Spark in a virtual environment, read from its files, since importing it takes a second."""
    for file in sorted(environment.glob("lib/python*/site-packages/pyspark/version.py")):
        found = re.search(r"__version__[^=]*=\s*[\"']([^\"']+)", file.read_text(encoding="utf-8"))
        if found:
            return Spark(found.group(1))
    raise SetupError(f"{shown(environment)} has no pyspark: remove the folder and run make again")


def version_in(output: str) -> str | None:
    """Return the version in the output of `java -version`, as 1.8.0_402, 17.0.15 or 25-ea; None if there is none."""
    found = re.search(r"^\s*\w+ version \"([^\"]+)\"", output, re.MULTILINE)
    return found.group(1) if found and re.match(r"\d", found.group(1)) else None


def major_of(version: str) -> int:
    """Return 17 for 17.0.15, 8 for 1.8.0_402, 25 for 25-ea."""
    parts = re.findall(r"\d+", version)
    return int(parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0])


def ask(java: Path, options: Sequence[str] = ()) -> Java | None:
    """Run a java and return its version and folder; None if it does not run."""
    outcome = run([str(java), *options, "-XshowSettings:properties", "-version"], timeout=60)
    version = version_in(outcome.output)
    if not outcome.ok or version is None:
        return None
    # Its own word for its folder: the file in PATH may be a link, a stub or a version manager's script.
    found = re.search(r"^\s*java\.home = (.+?)\s*$", outcome.output, re.MULTILINE)
    home = Path(found.group(1)) if found else java.resolve().parent.parent
    return Java(home if (home / "bin" / "java").exists() else java.resolve().parent.parent, version)


def named(env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """The Javas the user names: JAVA_HOME and PATH, in this order."""
    if env.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(env["JAVA_HOME"]) / "bin" / "java"
    in_path = shutil.which("java", path=env.get("PATH", ""))
    if in_path:
        yield "PATH", Path(in_path)


def installed(env: Mapping[str, str], places: Sequence[str] = _PLACES, local: Path = LOCAL) -> Iterator[Path]:
    """Yield the Javas in the project's folder and in the usual folders, each once."""
    homes = [*sorted(local.glob("*")), *sorted(local.glob("*/Contents/Home"))]
    for place in places:
        pattern = place.replace("~", env.get("HOME", "/nonexistent"), 1)
        homes += sorted(Path("/").glob(pattern.lstrip("/")))
    helper = Path("/usr/libexec/java_home")
    if helper.exists() and places is _PLACES:
        homes += [Path(line) for line in run([str(helper)], timeout=20).output.splitlines()[:1]]
    seen = set()
    for home in homes:
        java = home / "bin" / "java"
        if java.is_file() and java.resolve() not in seen:
            seen.add(java.resolve())
            yield java


def find(
    spark: Spark, env: Mapping[str, str], places: Sequence[str] = _PLACES, local: Path = LOCAL
) -> tuple[Java | None, list[str]]:
    """Return the Java to use, and a line for each that the user named and Spark cannot use."""
    refused: list[str] = []
    for origin, path in named(env):
        java = ask(path, spark.modules)
        if java and java.major in spark.javas:
            return java, refused
        java = java or ask(path)
        if java or origin != "PATH":  # macOS has a java in PATH that only says there is none
            refused.append(
                f"{origin} gives " + (f"Java {java.version}" if java else f"no Java that runs: {path}")
            )
    answers = [ask(path, spark.modules) for path in installed(env, places, local)]
    fitting = [java for java in answers if java and java.major in spark.javas]
    return min(fitting, key=_preference, default=None), refused


def _preference(java: Java) -> tuple[int, int]:
    """Return a sort key: long-term versions in the order of _PREFERRED, then the newest of the others."""
    rank = _PREFERRED.index(java.major) if java.major in _PREFERRED else len(_PREFERRED)
    return rank, -java.major


def wanted_majors(spark: Spark) -> list[int]:
    """Return the versions to install, the best first."""
    return [major for major in _PREFERRED if major in spark.javas and major >= 17]


def install_with_system(spark: Spark, run: Runner = run, which: packages.Which = shutil.which) -> Outcome:
    """Install a headless runtime with the system's package manager, if this user may."""
    manager = packages.find_manager(which)
    if manager is None:
        return Outcome(1, "no package manager known to this set-up")
    prefix = packages.rights(run, which)
    if prefix is None:
        return Outcome(1, f"{manager.name} needs root")
    print_line(
        f"Java: none that fits, installing a headless runtime with {' '.join([*prefix, manager.name])}"
    )
    outcome = packages.install_first(manager, manager.java_names(wanted_majors(spark)), prefix, run)
    return outcome if outcome.ok else Outcome(1, f"{manager.name}: {outcome.reason}")


# Run by the environment's Python, which has install-jdk. A download is given up when nothing comes for 20 s.
_DOWNLOAD = """
import pathlib, socket, sys
socket.setdefaulttimeout(20)
import jdk
version, kind, folder = sys.argv[1:]
system = jdk.OperatingSystem.ALPINE_LINUX if pathlib.Path("/etc/alpine-release").exists() else jdk.OS
try:
    jdk.install(version, system, jre=kind == "JRE", path=folder)
except Exception as error:
    sys.exit("error: " + str(error))
"""


def install_in_project(
    spark: Spark, environment: Path, kind: str, local: Path = LOCAL, run: Runner = run
) -> Outcome:
    """Download a runtime, JRE or JDK, into the project's folder with install-jdk, completely or not at all."""
    python = str(environment / "bin" / "python")
    major = wanted_majors(spark)[0]
    print_line(f"Java: downloading a Java {major} {kind} into {shown(local)}/ with install-jdk")
    package = run([python, "-m", "pip", "install", "-q", "--no-input", "install-jdk>=1.1,<2"])
    if not package.ok:
        return Outcome(1, f"pip install install-jdk: {package.reason}")
    words = [python, "-c", _DOWNLOAD, str(major), kind]
    with tempfile.TemporaryDirectory(dir=environment, prefix="java-") as scratch:
        outcome = run(["env", f"TMPDIR={scratch}", *words, f"{scratch}/unpacked"])
        if not outcome.ok:
            return Outcome(1, f"install-jdk: {outcome.reason.removeprefix('error: ')}")
        local.mkdir(exist_ok=True)
        for folder in Path(scratch, "unpacked").iterdir():
            shutil.rmtree(local / folder.name, ignore_errors=True)
            shutil.move(folder, local / folder.name)
    return Outcome(0, f"the {kind} from install-jdk")


def advice(spark: Spark, run: Runner = run, which: packages.Which = shutil.which) -> str:
    """Return the command to type to install a Java."""
    majors = wanted_majors(spark)
    manager = packages.find_manager(which)
    if manager:
        names = manager.java_names(majors)
        name = next(iter(packages.known(manager, names, run)), names[0])
        return packages.typed(manager, name)
    if platform.system() == "Darwin":
        return f"brew install openjdk@{majors[0]}"
    return f"export JAVA_HOME=/folder/of/java{majors[0]} (from https://adoptium.net/temurin/releases/)"


def provide(spark: Spark, environment: Path, env: Mapping[str, str]) -> Java:
    """Find a Java or install one. Raises SetupError with the attempts and the command to type."""
    java, refused = find(spark, env)
    for line in refused:
        print_line(f"Java: {line}, {spark.wanted}")
    tried = []
    for install in (
        lambda: install_with_system(spark),
        lambda: install_in_project(spark, environment, "JRE"),
        lambda: install_in_project(spark, environment, "JDK"),
    ):
        if java:
            return java
        outcome = install()
        tried.append(f"{outcome.reason} does not fit" if outcome.ok else outcome.reason)
        java, _ = find(spark, env)
    if java:
        return java
    failed = "; ".join(dict.fromkeys(tried))
    raise SetupError(
        f"{spark.wanted}; none was found and none could be installed ({failed}); type: {advice(spark)}"
    )


def main(arguments: list[str]) -> None:
    """Print the Java that the environment's Spark will run on."""
    environment = Path(arguments[0]).absolute()
    java = provide(spark_in(environment), environment, os.environ)
    print_line(f"Java {java.version} in {shown(java.home)}")
    if shutil.which("bash") is None:
        raise SetupError("spark-submit needs bash, which is not installed")


if __name__ == "__main__":
    command(main)
