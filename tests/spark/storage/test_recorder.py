"""What a run writes down as it goes on, and what it leaves however it ends."""

import pytest

from nn.core.errors import DivergenceError, OutputLostError, PlatformError, Terminated
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.recorder import Pace, Recorder
from nn.spark.storage.run_directory import Output
from nn.training.records import Epoch, Progress


def progress_after(epoch, cost=1.0):
    return Progress({}, tuple(Epoch(n, cost, 0.5, 0.1, True, 7) for n in range(1, epoch + 1)))


class Clock:
    """A clock that moves when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def recording(path, every=None, clock=None, folder=None):
    folder = folder or LocalFolder(str(path))
    return Recorder(
        Output(folder),
        Checkpoints(folder, 2),
        Pace(every, clock or Clock()),
        lambda progress: Checkpoint(progress, {}, {}, {}),
        is_sound=lambda progress: progress.history[-1].cost < 10,
        again="the same command with --resume",
    )


def saved(path):
    """The epochs whose checkpoints lie there, and the lines of the history."""
    epochs = sorted(int(each.name.split("-")[1]) for each in (path / "checkpoints").glob("*.json"))
    return epochs, len((path / "history.csv").read_text().splitlines()) - 1


def test_every_so_many_epochs_and_the_last_get_a_checkpoint(tmp_path):
    seen = []
    with recording(tmp_path, every=2) as record:
        for epoch in range(1, 6):
            record(progress_after(epoch))
            seen.append(saved(tmp_path)[0][-1:])
    assert seen == [[], [2], [2], [4], [4]]
    assert saved(tmp_path) == ([2, 4, 5], 5)  # the last two, and the first of the best


def test_rounds_of_several_epochs_get_a_checkpoint_at_the_first_end_after_so_many(tmp_path):
    seen = []
    with recording(tmp_path, every=5) as record:
        for epoch in (4, 8, 12, 13, 14, 15):
            record(progress_after(epoch))
            seen.append(saved(tmp_path)[0][-1:])
    assert seen == [[], [8], [12], [12], [12], [15]]


def test_pace_keeps_to_its_share_of_the_time():
    clock = Clock()
    pace, written, spent = Pace(None, clock), [], 0.0

    def write():
        clock.now += 0.5

    for epoch in range(1, 401):
        clock.now += 1.0
        if pace.is_due(epoch, 0):
            written.append(epoch)
            pace.time(write)
            spent += 0.5
    assert spent + 0.5 <= 0.02 * (clock.now - 100) and len(written) >= 7  # with the one at the end
    assert written[0] == 10  # the first is reckoned to take a tenth of a second


def test_pace_of_0_is_never(tmp_path):
    with recording(tmp_path, every=0) as record:
        record(progress_after(1))
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated, PlatformError])
def test_what_ends_a_run_early_leaves_its_last_epoch_and_says_how_to_go_on(tmp_path, stop):
    with pytest.raises(stop) as caught, recording(tmp_path, every=100) as record:
        for epoch in (1, 2, 3):
            record(progress_after(epoch))
        raise stop("what came")
    assert saved(tmp_path) == ([3], 3)
    assert caught.value.hint == "the same command with --resume goes on after epoch 3"


def test_a_run_that_diverges_keeps_its_last_sound_epoch(tmp_path):
    with pytest.raises(DivergenceError) as caught, recording(tmp_path, every=100) as record:
        record(progress_after(1))
        record(progress_after(2))
        record(Progress({}, (*progress_after(2).history, Epoch(3, 99.0, 0.5, 0.1, True, 7))))
        raise DivergenceError("the cost is inf")
    assert saved(tmp_path) == ([2], 3)
    assert caught.value.hint.startswith("epoch 2, the last that was sound, is kept in ")


class Kept(LocalFolder):
    """A folder from which nothing can be removed."""

    def remove(self, name):
        raise PlatformError(f"cannot remove {name}: Read-only file system")


def test_a_checkpoint_counts_once_it_is_whole_though_older_ones_stay(tmp_path):
    with (
        pytest.raises(PlatformError, match="cannot remove") as caught,
        recording(tmp_path, 1, folder=Kept(str(tmp_path))) as record,
    ):
        for epoch in range(1, 9):
            record(progress_after(epoch))
    assert saved(tmp_path) == ([1, 2, 3, 4], 4)
    assert caught.value.hint == "the same command with --resume goes on after epoch 4"


def test_a_run_that_ends_before_its_first_epoch_advises_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught, recording(tmp_path):
        raise KeyboardInterrupt
    assert caught.value.hint == "" and list(tmp_path.iterdir()) == []


def test_a_run_that_lost_its_output_advises_nothing(tmp_path):
    with pytest.raises(OutputLostError) as caught, recording(tmp_path, every=1) as record:
        record(progress_after(1))
        raise OutputLostError("another run writes there")
    assert caught.value.hint == "" and saved(tmp_path) == ([1], 1)


class Struck(LocalFolder):
    """A folder in whose first write of a history a signal comes up."""

    struck = False

    def write(self, name, content):
        super().write(name, content)
        if name.startswith("history") and not self.struck:
            self.struck = True
            raise Terminated


def test_an_epoch_is_kept_when_a_signal_strikes_while_it_is_written_down(tmp_path):
    with (
        pytest.raises(Terminated) as caught,
        recording(tmp_path, 100, folder=Struck(str(tmp_path))) as record,
    ):
        record(progress_after(1))
    assert saved(tmp_path) == ([1], 1)
    assert caught.value.hint == "the same command with --resume goes on after epoch 1"


class Gone(LocalFolder):
    """A folder on a service that no longer answers, from the second write on."""

    is_local = False
    left = 1

    def write(self, name, content):
        if name.endswith(".npz") or name.startswith("history"):
            self.left -= 1
            if self.left < 0:
                raise PlatformError(f"cannot write {name}")
        super().write(name, content)


def test_a_service_that_is_gone_does_not_hide_what_ended_the_run(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt) as caught,
        recording(tmp_path, 100, folder=Gone(str(tmp_path))) as record,
    ):
        record(progress_after(1))
        record(progress_after(2))
        raise KeyboardInterrupt
    assert caught.value.hint == ""


def test_a_checkpoint_that_cannot_be_written_ends_the_run(tmp_path):
    with (
        pytest.raises(PlatformError, match="cannot write checkpoints/epoch-000001"),
        recording(tmp_path, 1, folder=Gone(str(tmp_path))) as record,
    ):
        record(progress_after(1))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, PlatformError])
def test_what_ends_a_run_after_its_training_says_how_to_go_on_too(tmp_path, stop):
    with pytest.raises(stop) as caught, recording(tmp_path, 100) as record:
        record(progress_after(1))
        record.finish()
        assert saved(tmp_path) == ([1], 1)  # before anything is scored
        raise stop("while scoring")
    assert caught.value.hint == "the same command with --resume goes on after epoch 1"
