"""What starting Spark needs: what is missing is one line, before Java prints its screens."""

import sys
from types import SimpleNamespace

import pyspark
import pytest

from nn.core.errors import PlatformError
from nn.spark.runtime import installation

NUMBER = ".".join(pyspark.__version__.split(".")[:2])


@pytest.fixture(autouse=True)
def no_spark_yet(monkeypatch):
    """A shell in which nothing of Spark is set and no Java has been started."""
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "JAVA_HOME", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pyspark.SparkContext, "_gateway", None)


@pytest.fixture
def java(tmp_path, monkeypatch):
    """A function that makes a Java of a version, or a script in its place: its folder is JAVA_HOME."""

    def make(version=None, script=""):
        program = tmp_path / "java" / "bin" / "java"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(script or f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
        return tmp_path / "java"

    return make


@pytest.fixture
def spark_home(tmp_path, monkeypatch):
    """A function that makes the folder of a Spark of a version, which is SPARK_HOME."""

    def make(version):
        home = tmp_path / "spark"
        for file in ("bin/spark-submit", f"jars/spark-core_2.12-{version}.jar", "jars/spark-core.txt"):
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            (home / file).touch()
        monkeypatch.setenv("SPARK_HOME", str(home))
        return home

    return make


def refusal(version=None, monkeypatch=None):
    """The line, with the pyspark of a version."""
    if version:
        monkeypatch.setattr(pyspark, "__version__", version)
    with pytest.raises(PlatformError) as caught:
        installation.refuse_unusable()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["pyspark", "py4j"])
def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, name):
    modules = [each for each in sys.modules if each.partition(".")[0] in ("pyspark", "py4j")]
    for each in modules:
        monkeypatch.delitem(sys.modules, each)
    blocked = SimpleNamespace(find_spec=lambda found, path=None, target=None: missing(found, name))
    monkeypatch.setattr(sys, "meta_path", [blocked, *sys.meta_path])
    install = f"install it with: {sys.executable} -m pip install pyspark"
    assert refusal() == f"no Python module named {name} here; {install}"


def missing(found, name):
    if found == name:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def test_the_client_of_spark_connect_has_no_rdds(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", SimpleNamespace(__version__="4.3.0"))
    assert refusal().startswith(
        "the pyspark of this Python has no RDDs, as that of Spark Connect's client; install"
    )


def test_without_java_the_line_says_where_it_was_looked_for(monkeypatch, tmp_path):
    needs = "Spark 4.3 needs Java 17 or newer: set JAVA_HOME to one"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal("4.3.0", monkeypatch) == f"no java on PATH, and JAVA_HOME is not set; {needs}"
    monkeypatch.setenv("JAVA_HOME", "/nope")
    assert refusal("4.3.0", monkeypatch) == f"no Java at JAVA_HOME=/nope; {needs}"


@pytest.mark.parametrize(
    ("spark", "version", "words"),
    [
        ("4.3.0", "11.0.2", "Spark 4.3 needs Java 17 or newer"),
        ("4.0.1", "1.8.0_402", "Spark 4.0 needs Java 17 or 21"),
        ("3.5.1", "1.7.0_80", "Spark 3.5 needs Java 8, 11 or 17"),
    ],
)
def test_a_java_that_is_too_old_is_refused_by_what_this_spark_needs(java, monkeypatch, spark, version, words):
    home = java(version)
    line = f"JAVA_HOME={home} is Java {version}; {words}: set JAVA_HOME to one"
    assert refusal(spark, monkeypatch) == line


@pytest.mark.parametrize(
    ("spark", "version"),
    [("4.3.0", "17.0.15"), ("4.3.0", "26-ea"), ("3.5.1", "1.8.0_402"), ("3.5.1", "11.0.2"), ("4.0.0", "21")],
)
def test_other_javas_are_left_to_spark(java, monkeypatch, spark, version):
    java(version)
    monkeypatch.setattr(pyspark, "__version__", spark)
    installation.refuse_unusable()


def test_a_java_that_does_not_run_is_told_by_its_first_line(java):
    java(script="#!/bin/sh\necho 'Error: no libjava.so' >&2; echo more >&2; exit 1\n")
    assert "bin/java does not run (Error: no libjava.so); Spark" in refusal()
    java(script="\x7fELF, of another machine")
    assert "bin/java does not run (Exec format error); Spark" in refusal()


def test_a_java_that_does_not_say_its_version_is_left_to_spark(java):
    java(script="#!/bin/sh\necho 'some Java'\n")
    installation.refuse_unusable()


def test_a_spark_home_of_another_version_is_refused(spark_home, java, monkeypatch):
    java("17")
    home = spark_home("3.5.9")
    line = f"the pyspark of this Python is 4.3.0, SPARK_HOME={home} is 3.5.9: unset SPARK_HOME or use its spark-submit"
    assert refusal("4.3.0", monkeypatch) == line
    monkeypatch.setattr(pyspark, "__version__", "3.5.1+amzn.0")
    installation.refuse_unusable()


def test_a_spark_home_without_spark_is_refused_and_one_of_no_known_version_is_not(
    spark_home, java, monkeypatch
):
    java("17")
    home = spark_home("snapshot")
    installation.refuse_unusable()
    (home / "bin" / "spark-submit").unlink()
    assert refusal() == (
        f"no Spark at SPARK_HOME={home} (it has no bin/spark-submit): unset SPARK_HOME, or set it to a Spark {NUMBER}"
    )


def test_under_spark_submit_and_beside_a_java_that_runs_nothing_is_looked_at(spark_home, monkeypatch):
    spark_home("1.0.0")
    monkeypatch.setenv("JAVA_HOME", "/nope")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    installation.refuse_unusable()
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT")
    monkeypatch.setattr(pyspark.SparkContext, "_gateway", object())
    installation.refuse_unusable()


def test_where_a_script_sets_spark_s_environment_its_java_is_not_known(spark_home, monkeypatch):
    home = spark_home(pyspark.__version__)
    monkeypatch.setenv("JAVA_HOME", "/nope")
    assert "no Java at JAVA_HOME=/nope" in refusal()
    (home / "conf").mkdir()
    (home / "conf" / "spark-env.sh").write_text("export JAVA_HOME=/a/java\n")
    installation.refuse_unusable()


def test_a_start_that_failed_is_explained_by_a_java_that_is_too_new(java, monkeypatch):
    home = java("25.0.3")
    monkeypatch.setattr(pyspark, "__version__", "3.5.9")
    assert installation.hint(ValueError("getSubject is not supported")) == (
        f"; JAVA_HOME={home} is Java 25.0.3, Spark 3.5 runs on Java 8, 11 or 17: set JAVA_HOME to one"
    )
    java("17.0.1")
    assert installation.hint(ValueError("getSubject is not supported")) == ""
    exited = "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number."
    assert installation.hint(ValueError(exited)) == "; what Java printed above says why"
