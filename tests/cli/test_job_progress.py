"""How far Spark's jobs are: a live line on a terminal, in a log a line from time to time."""

import io
import threading

from nn.cli import job_progress
from nn.cli.console import LiveLine
from nn.cli.job_progress import JobProgress
from nn.spark.runtime.running_jobs import Running, running


def test_a_log_gets_a_line_a_minute_with_the_time_that_is_left():
    lines = []
    progress = JobProgress("predicting", None, lines.append)
    for second in range(0, 151, 10):
        progress.update(Running((3,), second // 10, 40), 1000.0 + second)
    assert lines == [
        "progress  predicting  6 of 40 tasks  5m40s left",
        "progress  predicting  12 of 40 tasks  4m40s left",
    ]


def test_short_jobs_leave_nothing_in_a_log():
    lines = []
    progress = JobProgress("reading", None, lines.append)
    for second in range(50):
        progress.update(Running((second,), 1, 2), float(second))
    progress.update(Running((), 0, 0), 400.0)
    assert lines == []


def test_a_terminal_gets_one_line_and_the_time_of_each_job_counts_alone():
    stream = io.StringIO()
    progress = JobProgress("predicting", LiveLine(stream))
    progress.update(Running((1,), 0, 4), 100.0)
    progress.update(Running((1,), 2, 4), 160.0)
    progress.update(Running((2,), 0, 4), 200.0)
    progress.update(Running((2,), 1, 4), 202.0)
    bars = [part.rstrip() for part in stream.getvalue().split("\r") if part]
    assert bars == [
        "[..........]  predicting  0 of 4 tasks",
        "[#####.....]  predicting  2 of 4 tasks  1m00s left",
        "[..........]  predicting  0 of 4 tasks",
        "[##........]  predicting  1 of 4 tasks  6s left",
    ]
    assert "\n" not in stream.getvalue()


def test_the_line_is_gone_when_the_jobs_end_and_errors_of_asking_do_not_matter(monkeypatch):
    monkeypatch.setattr(job_progress, "POLL", 0.001)
    stream, asked = io.StringIO(), threading.Event()
    answers = iter([Running((1,), 1, 2)])

    def ask():
        try:
            return next(answers)  # then StopIteration
        finally:
            asked.set() if stream.getvalue() else None

    with job_progress.shown("predicting", ask, True, stream):
        assert asked.wait(10)
    shown = stream.getvalue()
    assert "1 of 2 tasks" in shown and shown.endswith("\r") and shown.split("\r")[-2].strip() == ""
    assert not any(thread.name == "progress" for thread in threading.enumerate())


def test_tasks_of_running_jobs_are_those_of_the_status_tracker(spark):
    found, ended = [], threading.Event()

    def watch():
        while not ended.wait(0.02):
            found.append(running(spark))

    thread = threading.Thread(target=watch)
    thread.start()
    spark.parallelize(range(6), 6).map(lambda _: __import__("time").sleep(0.1)).count()
    ended.set()
    thread.join()
    assert {(len(state.jobs), state.tasks) for state in found if state.tasks} == {(1, 6)}
    assert running(spark) == Running((), 0, 0)
