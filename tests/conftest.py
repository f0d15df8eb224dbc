"""What tests share: one SparkContext, small data sets, and the full MNIST where it lies at hand."""

import os
import signal
import sys
from pathlib import Path

# Before NumPy loads: one BLAS thread here as on Spark's workers, so that both give the same bits.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.support import ROOT, java_classes  # noqa: E402
from tests.support.data import blobs, write_csv  # noqa: E402

settings.register_profile(
    "project", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("project")


def pytest_addoption(parser):
    """`--thorough` is what `make test-faults` asks for, `--pages` what `make test-pages` asks for, and so on.

    `--master local-cluster[2,1,1024]` runs the tests that share a SparkContext on executors in processes of their own;
    `--master connect` runs those of nn.ml on a server of Spark Connect.
    """
    parser.addoption(
        "--thorough", action="store_true", help="as often as docs/reliability.md says; half an hour"
    )
    parser.addoption("--pages", action="store_true", help="all commands of the pages that are run as a whole")
    parser.addoption("--browser", action="store_true", help="the report page in a headless Chromium")
    parser.addoption("--clusters", action="store_true", help="YARN, HDFS and object stores on this machine")
    parser.addoption(
        "--master", default="local[2]", help="of the shared SparkContext, or connect (default local[2])"
    )


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(config, items):
    """Mark the tests that start Spark, skip those of longer targets, and begin with the files that take longest."""
    for item in items:
        if {"spark", "session"} & set(item.fixturenames):
            item.add_marker(pytest.mark.spark)
    if not config.getoption("--thorough"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason="takes long: make test-faults"))
    if not config.getoption("--pages"):
        for item in items:
            if item.get_closest_marker("pages"):
                item.add_marker(pytest.mark.skip(reason="takes long: make test-pages"))
    with_jvm = {item.path for item in items if item.get_closest_marker("spark")}
    items.sort(key=lambda item: item.path not in with_jvm)


@pytest.fixture(scope="session")
def count(request):
    """A function (short, long) -> how often something is tried."""
    thorough = request.config.getoption("--thorough")
    return lambda short, long: long if thorough else short


@pytest.fixture(scope="session")
def spark(request):
    """One SparkContext with two slots for all tests, made as the job makes its own."""
    master = request.config.getoption("--master")
    if master == "connect":
        pytest.skip("needs a SparkContext")
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--master {master} --conf spark.ui.enabled=false --conf spark.driver.host=localhost pyspark-shell"
    )
    os.environ["SPARK_SUBMIT_OPTS"] = java_classes.OPTIONS
    from nn.spark.runtime.session import spark_context

    with spark_context("tests") as context:
        yield context


@pytest.fixture(autouse=True)
def nothing_runs_on():
    """End, after a test that failed, the programs that it began."""
    yield
    if "tests.support.submitting" in sys.modules:
        sys.modules["tests.support.submitting"].end_all()


@pytest.fixture(autouse=True)
def signals():
    """Restore the handlers of signals: a program that ends listens to none any more, also where a test runs it here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def mnist():
    """The folder of the full MNIST's IDX files; tests that ask for it skip without it."""
    for folder in (os.environ.get("NN_MNIST"), ROOT.parent / "shared" / "mnist"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no MNIST here: set NN_MNIST to a folder with its IDX files")


@pytest.fixture
def rng():
    """A generator that draws the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture
def csv_set(tmp_path):
    """Four files of an easy three-class problem: (train images, train labels, test images, test labels)."""
    paths = []
    for name, rows, seed in (("train", 240, 1), ("test", 60, 2)):
        inputs, labels = blobs(rows, seed=seed)
        paths.append(write_csv(tmp_path / f"images_{name}.csv", inputs))
        paths.append(write_csv(tmp_path / f"labels_{name}.csv", labels))
    return paths
