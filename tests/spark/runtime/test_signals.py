"""Ctrl-C, SIGTERM and SIGHUP come up between two calls into Java, after the job that runs was cancelled."""

import os
import signal
import threading
import time

import pytest

from nn.core.errors import HungUp, Terminated
from nn.spark.runtime import signals
from nn.spark.runtime.signals import Interruption

KINDS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated, signal.SIGHUP: HungUp}


def strike(number=signal.SIGTERM):
    """The signal, handled before the next line."""
    os.kill(os.getpid(), number)


class Bridge:
    """A context and its bridge to Java whose calls do as they are told."""

    def __init__(self):
        self._gateway = self._gateway_client = self
        self.sent, self.cancelled, self.silenced = [], threading.Event(), threading.Event()

    def send_command(self, call):
        self.sent.append(call)
        return self._as_py4j(call)

    def cancelAllJobs(self):  # noqa: N802 (Spark's name)
        self.cancelled.set()
        raise RuntimeError("the JVM is gone")

    def _as_py4j(self, call):
        within("py4j.java_gateway", call)
        return "answer"


def within(name, call):
    """Call from a function of a module of that name."""
    module = {"__name__": name}
    exec("def calling(call): call()", module)
    module["calling"](call)


@pytest.fixture
def bridge():
    """A bridge that is watched for signals."""
    bridge = Bridge()
    with Interruption(bridge, bridge.silenced.set):
        yield bridge


def test_the_error_of_a_signal_is_told_by_its_kind():
    for number, kind in KINDS.items():
        with Interruption(Bridge(), print), pytest.raises(KeyboardInterrupt) as caught:
            strike(number)
        assert type(caught.value) is kind


def test_a_closed_terminal_is_not_heard_where_nohup_ignores_it():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption(Bridge(), print):
            strike(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_of_spark_a_signal_comes_up_at_once(bridge):
    with pytest.raises(Terminated):
        strike()
    assert bridge.silenced.wait(10) and not bridge.cancelled.is_set()


@pytest.mark.parametrize("number", KINDS)
def test_a_call_into_java_is_ended_by_cancelling_jobs_and_not_cut_short(bridge, number):
    ended = []

    def call():
        strike(number)
        assert bridge.cancelled.wait(10)
        ended.append(True)

    with pytest.raises(KINDS[number]):
        bridge.send_command(call)
    assert ended == [True] and bridge.silenced.is_set()


def test_a_call_that_fails_once_its_job_is_cancelled_is_no_error(bridge):
    def call():
        strike()
        raise ValueError("job 1 cancelled")

    with pytest.raises(Terminated):
        bridge.send_command(call)


def test_the_calls_of_the_cleaning_up_are_not_disturbed(bridge):
    with pytest.raises(Terminated):
        bridge.send_command(strike)
    assert bridge.send_command(lambda: None) == "answer"


def test_amid_pyspark_a_signal_waits_for_the_next_call_which_is_not_made(bridge):
    within("pyspark.core.rdd", strike)
    with pytest.raises(Terminated):
        bridge.send_command(lambda: None)
    assert bridge.sent == []


def test_a_second_signal_does_not_wait(bridge):
    ended = []

    def call():
        strike()
        strike()
        ended.append(True)

    with pytest.raises(Terminated):
        bridge.send_command(call)
    assert ended == []


def test_after_a_second_signal_amid_pyspark_the_cleaning_up_is_not_disturbed(bridge):
    within("pyspark", strike)
    with pytest.raises(Terminated):
        within("pyspark", strike)
    assert bridge.send_command(lambda: None) == "answer"
    time.sleep(2 * signals.CANCEL_AGAIN)
    bridge.cancelled.clear()
    assert not bridge.cancelled.wait(4 * signals.CANCEL_AGAIN)


def test_other_threads_calls_are_let_through(bridge):
    answers = []
    within("pyspark", strike)
    thread = threading.Thread(target=lambda: answers.append(bridge.send_command(lambda: None)))
    thread.start()
    thread.join()
    assert answers == ["answer"]
    with pytest.raises(Terminated):  # it is the main thread that is told
        bridge.send_command(lambda: None)


def test_jobs_are_cancelled_until_the_program_is_told(bridge):
    within("pyspark", strike)  # a job that had not begun yet would outlive the first time
    for _ in range(2):
        bridge.cancelled.clear()
        assert bridge.cancelled.wait(10)
    with pytest.raises(Terminated):
        bridge.send_command(lambda: None)
    time.sleep(signals.CANCEL_AGAIN)
    bridge.cancelled.clear()
    assert not bridge.cancelled.wait(4 * signals.CANCEL_AGAIN)


def test_leaving_puts_everything_back():
    before = [signal.getsignal(number) for number in KINDS]
    bridge = Bridge()
    with Interruption(bridge, print):
        assert [signal.getsignal(number) for number in KINDS] != before
        within("pyspark", strike)
    assert [signal.getsignal(number) for number in KINDS] == before
    assert bridge.send_command(lambda: None) == "answer"  # what came too late to matter is forgotten


def test_an_error_in_whose_context_a_signal_lies_is_the_signal():
    def raised(error, amid=None):
        try:
            try:
                raise amid or ValueError
            except BaseException:
                raise error  # noqa: B904 (by itself Python remembers what it came up amid)
        except BaseException as found:
            return found

    stop = Terminated()
    assert signals.behind(raised(UnboundLocalError(), amid=raised(OSError(), amid=stop))) is stop
    assert signals.behind(raised(OSError())) is None and signals.behind(None) is None


@pytest.mark.spark
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_is_dropped_and_spark_answers_as_before(spark, number):
    with Interruption(spark, lambda: None):
        began = time.monotonic()
        threading.Timer(1.0, strike, [number]).start()
        try:
            spark.parallelize([0], 1).map(lambda _: time.sleep(60)).collect()
        except KINDS[number]:  # its trace holds the connection of the call
            assert spark.parallelize(range(10), 2).map(lambda row: row + 1).sum() == 55
            assert spark.parallelize([7], 1).collect() == [7]
        else:
            pytest.fail("the job ended as if nothing had come")
        assert time.monotonic() - began < 30
