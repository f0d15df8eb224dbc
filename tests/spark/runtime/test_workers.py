"""What a task does for the Python process it runs in: once, and so that later tasks find it done."""

import socket
import subprocess
import sys
import zipfile
import zipimport

import pytest

from nn.spark.runtime import workers
from tests.support import ROOT


@pytest.mark.spark
def test_a_worker_is_settled_once_and_stays_so(spark):
    def seen(elements):
        """What a worker looks like from inside."""
        import gc
        import importlib
        import os
        import sys
        import threading
        import zipimport

        from nn.spark.runtime import workers

        list(elements)
        workers.tune_worker()
        workers.tune_worker()
        importlib.invalidate_caches()
        zips = [f for f in sys.path_importer_cache.values() if isinstance(f, zipimport.zipimporter)]
        threads = [thread.name for thread in threading.enumerate() if thread.name == "acknowledge"]
        return [
            (
                os.getpid(),
                gc.get_freeze_count(),
                [f.invalidate_caches is workers._nothing for f in zips],
                threads,
            )
        ]

    connections = spark.parallelize(range(2), 2).mapPartitions(seen).collect()
    over_tcp = spark.version < "4.1" and sys.platform == "linux"
    for _, frozen, finders, threads in connections:
        assert frozen > 10_000
        assert finders and all(finders)
        assert threads == (["acknowledge"] if over_tcp else [])


@pytest.mark.spark
def test_an_archive_that_comes_later_is_still_found(spark, tmp_path):
    spark.parallelize(range(2), 2).mapPartitions(lambda it: [workers.tune_worker() for _ in it]).collect()
    path = tmp_path / "late.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a_late_module.py", "ANSWER = 42\n")
    spark.addPyFile(str(path))
    answers = spark.parallelize(range(2), 2).map(lambda _: __import__("a_late_module").ANSWER).collect()
    assert answers == [42, 42]


def test_a_worker_that_hears_ctrl_c_lives_on_and_prints_nothing():
    program = (
        "import os, signal, sys\n"
        "from nn.spark.runtime import workers\n"
        "workers.silence_interrupt()\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "print('out')\n"
        "print('err', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "")


def test_a_worker_whose_connection_is_lost_prints_no_trace_of_it():
    program = (
        "import traceback\n"
        "from nn.spark.runtime import workers\n"
        "workers.silence_interrupt()\n"
        "for error in (BrokenPipeError, ConnectionResetError, ValueError):\n"
        "    try:\n"
        "        raise error\n"
        "    except Exception:\n"
        "        traceback.print_exc()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.count("Traceback") == 1 and done.stderr.endswith("ValueError\n")


def test_connections_are_found_once_each_and_listeners_and_files_left_out(tmp_path):
    before = {workers._addresses(each) for each in workers._connections()}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        open(tmp_path / "file", "w"),
        socket.create_connection(server.getsockname()) as one,
        server.accept()[0] as other,
        one.dup(),
    ):
        connections = workers._connections()
        ends = [workers._addresses(each) for each in connections]
        new = [each for each in ends if each not in before]
        assert sorted(new) == sorted([workers._addresses(one), workers._addresses(other)])
        for each in connections:
            each.close()
        one.sendall(b"still open")
        assert other.recv(10) == b"still open"


def test_looking_for_connections_leaves_no_descriptor_open(tmp_path, monkeypatch):
    with open(tmp_path / "file", "w"):
        before = workers._descriptors()
        for each in workers._connections():
            each.close()
        assert sorted(workers._descriptors()) == sorted(before)
    monkeypatch.setattr(workers.os, "listdir", lambda path: (_ for _ in ()).throw(FileNotFoundError(path)))
    assert workers._connections() == []


def test_acknowledging_sets_the_option_and_ends_with_the_connection(monkeypatch):
    calls = []

    class Connection:
        def setsockopt(self, *words):
            calls.append(words)
            if len(calls) == 3:
                raise OSError

    monkeypatch.setattr(workers, "PAUSE", 0.0)
    workers._acknowledge([Connection()])
    assert calls == [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)] * 3


def test_kept_archives_do_not_read_their_directory_again(tmp_path, monkeypatch):
    path = str(tmp_path / "some.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_module.py", "")
    finder = zipimport.zipimporter(path)
    monkeypatch.setitem(sys.path_importer_cache, path, finder)
    finders = [each for each in sys.path_importer_cache.values() if isinstance(each, zipimport.zipimporter)]
    workers.cache_zip_directories()
    monkeypatch.setattr(zipimport, "_read_directory", lambda path: pytest.fail("read again"))
    finder.invalidate_caches()
    for each in finders:
        del each.invalidate_caches
