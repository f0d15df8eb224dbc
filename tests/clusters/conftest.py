"""Clusters that tests share, each started when the first test asks for it, and the line that counts them."""

import functools
from collections import Counter
from contextlib import contextmanager

import pytest

from tests.clusters import jobs
from tests.clusters.hadoop import hadoop as start_hadoop
from tests.clusters.jars import Unavailable
from tests.clusters.stores import STORES
from tests.support.cluster import standalone as start_standalone

KINDS = ("yarn", "hdfs", "gs", "s3a")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Skip the tests here unless `make test-clusters` asks for them."""
    for item in items:
        if item.get_closest_marker("clusters") and not config.getoption("--clusters"):
            item.add_marker(pytest.mark.skip(reason="starts clusters: make test-clusters"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let a report know which kind of cluster its test is of."""
    outcome = yield
    marker = item.get_closest_marker("clusters")
    if marker:
        outcome.get_result().user_properties.append(("cluster", marker.args[0]))


def pytest_terminal_summary(terminalreporter, config):
    """Print how many tests of each kind have passed."""
    if not config.getoption("--clusters"):
        return

    def kinds(outcome):
        reports = terminalreporter.stats.get(outcome, [])
        return Counter(
            value for report in reports for key, value in report.user_properties if key == "cluster"
        )

    passed, skipped = kinds("passed"), kinds("skipped")
    counts = ", ".join(f"{kind} {passed[kind]}" for kind in KINDS)
    terminalreporter.write_line(f"clusters: {counts} passed, {skipped.total()} skipped")


@contextmanager
def or_skip(start, folder):
    """What `start` starts; where something that it needs cannot be had, the test is skipped."""
    try:
        with start(folder) as running:
            yield running
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory):
    """HDFS and YARN."""
    with or_skip(start_hadoop, tmp_path_factory.mktemp("hadoop")) as running:
        yield running


@pytest.fixture(scope="session")
def gs(tmp_path_factory):
    """A store of Google's kind."""
    with or_skip(STORES["gs"], tmp_path_factory.mktemp("gs")) as running:
        yield running


@pytest.fixture(scope="session")
def s3a(tmp_path_factory):
    """A store of Amazon's kind."""
    with or_skip(STORES["s3a"], tmp_path_factory.mktemp("s3a")) as running:
        yield running


@pytest.fixture(scope="session")
def standalone(tmp_path_factory):
    """A standalone cluster of two workers."""
    with start_standalone(tmp_path_factory.mktemp("standalone")) as running:
        yield jobs.on_standalone(running.master)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The job's four files on the local disk."""
    return jobs.write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def inputs(data):
    """A function store -> the URLs of the job's four files there."""

    @functools.cache
    def put(store):
        return [store.put(f"in/{path.name}", path.read_bytes()) for path in data]

    return put


@pytest.fixture(scope="session")
def local_model(data, tmp_path_factory):
    """A function (averaging, more words) -> the model.npz that the job gives in local[2] from local files."""

    @functools.cache
    def run(averaging, *words):
        folder = tmp_path_factory.mktemp("local")
        done = jobs.LOCAL.run(folder, *data, "out", *jobs.AVERAGINGS[averaging], *words)
        assert done.returncode == 0, done.stdout[-3000:]
        return (folder / "out" / "model.npz").read_bytes()

    return run
