"""Going on with an earlier run: with what it goes on, what it refuses and how it says so."""

import dataclasses
import json

import pytest

from nn.cli import parser, resume
from nn.cli.resume import continued, start
from nn.core import tree
from nn.core.errors import DataError, PlatformError, UsageError
from nn.data.split import Split
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import Output
from nn.training.assembly import for_replicas, optimizer_of, plan_of
from nn.training.backend import Objective
from nn.training.records import Best, Epoch, Progress
from nn.training.run import TrainingRun
from tests.support.networks import multilayer_perceptron

DATA = {"train": "f00", "test": "f01", "partitions": 2}
# Options that version 0.1.0 does not have.
NEW = ("task", "scale", "missing", "categorical", "max_categories", "unknown", "epochs_per_round")
MODEL = multilayer_perceptron(4, 3, (2,), "tanh", "mse")


def options_for(tmp_path, *words):
    paths = ["a.csv", "b.csv", "c.csv", "d.csv", str(tmp_path / "out")]
    return parser.parse([*paths, "--hidden", "2", *words])


def optimizer_for(parsed):
    return optimizer_of(parsed.recipe, plan_of(parsed.recipe, 100))


def settled(parsed, scale="standard"):
    """Options as they are once the data are read, which decide on the scale."""
    return parsed.with_recipe(dataclasses.replace(parsed.recipe, scale=scale))


def run_of(tmp_path, *words, epochs_made=3, finished=False, checkpoint=True):
    """OUTPUT of a run with these words, and what a run there sees of it."""
    parsed = settled(options_for(tmp_path, *words).for_cluster(2))
    output = Output(LocalFolder(parsed.output))
    output.write_config(parsed.resolved())
    history = tuple(Epoch(n, 1.0, 0.5, 0.1, True, 7) for n in range(1, epochs_made + 1))
    state = optimizer_for(parsed).init(MODEL.init(0))
    if checkpoint:
        point = Checkpoint(Progress(state, history), parsed.resolved(), DATA, resume.versions())
        Checkpoints(output.folder, 2).write(point)
    if finished:
        output.folder.write("_SUCCESS", b"")
    return output


def begin(tmp_path, output, *words):
    return start(options_for(tmp_path, *words, "--resume"), output, Checkpoints(output.folder, 2))


def test_a_run_goes_on_after_its_last_epoch_with_its_partitions(tmp_path):
    begun = begin(tmp_path, run_of(tmp_path, "--epochs", "9", "--partitions", "7"), "--epochs", "9")
    assert begun.epoch == 3 and not begun.is_finished and begun.notes == ()
    assert begun.options.partitions == 7
    assert begun.lines() == "resumed   after epoch 3 of 9\n"


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_finished_run_has_nothing_left_to_do(tmp_path, checkpoint):
    output = run_of(tmp_path, "--epochs", "3", finished=True, checkpoint=checkpoint)
    begun = begin(tmp_path, output, "--epochs", "3")
    made = "has ended after epoch 3" if checkpoint else "has made its 3 epochs"
    line = f"finished  the run in OUTPUT {made}; nothing to do, and its data were not read again"
    assert begun.is_finished and begun.lines() == line


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_finished_run_tells_of_data_that_it_did_not_read(tmp_path, checkpoint):
    output = run_of(tmp_path, "--epochs", "3", finished=True, checkpoint=checkpoint)
    parsed = dataclasses.replace(options_for(tmp_path, "--epochs", "3", "--resume"), test_images="other.csv")
    begun = start(parsed, output, Checkpoints(output.folder, 2))
    assert begun.is_finished
    assert begun.lines().splitlines()[0] == (
        "note      --resume: test_images: the run in OUTPUT read 'c.csv', not 'other.csv'"
    )


def test_a_run_that_patience_ended_says_so(tmp_path):
    words = ["--epochs", "9", "--validation-fraction", "0.5", "--patience", "1"]
    begun = begin(tmp_path, run_of(tmp_path, *words, finished=True), *words)
    assert "has ended after epoch 3" in begun.lines()


def test_a_finished_run_goes_on_to_more_epochs(tmp_path):
    begun = begin(tmp_path, run_of(tmp_path, "--epochs", "3", finished=True), "--epochs", "5")
    assert not begun.is_finished and begun.epoch == 3


def test_a_finished_run_without_checkpoints_cannot_go_on(tmp_path):
    output = run_of(tmp_path, "--epochs", "3", finished=True, checkpoint=False)
    with pytest.raises(UsageError, match="expected checkpoints to go on from in .*checkpoints, found none"):
        begin(tmp_path, output, "--epochs", "5")


def test_a_run_that_never_began_begins(tmp_path):
    for output in (Output(LocalFolder(str(tmp_path / "new"))), run_of(tmp_path, checkpoint=False)):
        begun = begin(tmp_path, output)
        assert begun.earlier is None and not begun.is_finished and begun.epoch == 0
        assert begun.lines() == "started   at epoch 1 of 100: OUTPUT has no checkpoint to resume from\n"


def test_a_run_without_resume_has_no_line_of_its_start(tmp_path):
    output = run_of(tmp_path, checkpoint=False)
    assert start(options_for(tmp_path), output, Checkpoints(output.folder, 2)).lines() == ""


def test_without_resume_an_earlier_run_is_not_looked_at(tmp_path):
    output = run_of(tmp_path, finished=True)
    begun = start(options_for(tmp_path, "--overwrite"), output, Checkpoints(output.folder, 2))
    assert begun.earlier is None and not begun.is_finished


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        ("", "--seed 1", "seed: the run in OUTPUT has 0, found 1"),
        ("", "--learning-rate 0.2", "learning_rate: the run in OUTPUT has 0.1, found 0.2"),
        ("", "--optimizer adam", "learning_rate: the run in OUTPUT has 0.1, found 0.001"),
        ("", "--activation tanh", "activation: the run in OUTPUT has 'sigmoid', found 'tanh'"),
        ("--partitions 4", "--partitions 5", "partitions: the run in OUTPUT has 4, found 5"),
        ("", "--shuffle-once", "shuffle_once: the run in OUTPUT has False, found True"),
        ("", "--batch-size 10", "batch_size: the run in OUTPUT has none, found 10"),
        ("", "--weight-column 3", "weight_column: the run in OUTPUT has none, found 3"),
        ("", "--start-from m.npz", "start_from: the run in OUTPUT has none, found 'm.npz'"),
        ("--start-from m.npz", "", "start_from: the run in OUTPUT has 'm.npz', found none"),
        ("--freeze 1", "", "freeze: the run in OUTPUT has 1, found none"),
        ("--epochs 9", "--epochs 2", "epochs: the run in OUTPUT has at least 3, which it has made, found 2"),
        (
            "--epochs 9 --schedule cosine",
            "--epochs 10 --schedule cosine",
            "epochs: the run in OUTPUT has 9, on which its cosine schedule depends, found 10",
        ),
        (
            "--epochs 3 --average parameters --epochs-per-round 2",
            "--epochs 9 --average parameters --epochs-per-round 2",
            "epochs: the run in OUTPUT has 3, where its last round of epochs_per_round=2 was shorter, found 9",
        ),
        (
            "--average parameters",
            "--average parameters --epochs-per-round 2",
            "epochs_per_round: .* has 1, found 2",
        ),
    ],
)
def test_what_a_run_cannot_go_on_with_is_named(tmp_path, before, now, message):
    output = run_of(tmp_path, *before.split())
    with pytest.raises(UsageError, match=f"^--resume: {message}$"):
        begin(tmp_path, output, *now.split())


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("--epochs 9", "--epochs 99"),
        ("--epochs 9", "--epochs 3"),
        ("--average parameters --epochs-per-round 3", "--average parameters --epochs-per-round 3 --epochs 7"),
        ("", "--checkpoint-every 2 --keep-checkpoints 9 --debug"),
        ("--start-from m.npz", "--start-from moved/m.npz"),
    ],
)
def test_what_makes_no_difference_may_differ(tmp_path, before, now):
    assert begin(tmp_path, run_of(tmp_path, *before.split()), *now.split()).epoch == 3


@pytest.mark.parametrize(
    "before",
    [
        "--partitions 64 --batch-size 32 --outer-momentum 0.5",  # what so many replicas get if nothing is said
        "--partitions 2 --batch-size 256 --outer-momentum 0.3",  # what the user said
    ],
)
def test_what_the_data_settle_if_nothing_is_said_is_the_run_s(tmp_path, before):
    before = f"--average parameters {before}"
    output = run_of(tmp_path, *before.split())
    parsed = begin(tmp_path, output, "--average", "parameters").options
    for _ in ("as it begins", "with its data read"):
        assert parsed.resolved() == settled(options_for(tmp_path, *before.split())).resolved()
        parsed = parsed.with_recipe(for_replicas(parsed.recipe, 1000, parsed.partition_count))
    with pytest.raises(UsageError, match="batch_size: the run in OUTPUT has .*, found 7"):
        begin(tmp_path, output, "--average", "parameters", "--batch-size", "7")


def test_other_places_of_the_same_data_may_be_named(tmp_path):
    output = run_of(tmp_path)
    parsed = parser.parse(["e.csv", "f.csv", "g.csv", "h.csv", "out", "--hidden", "2", "--resume"])
    assert start(parsed, output, Checkpoints(output.folder, 2)).epoch == 3


@pytest.mark.parametrize("config", [{}, {"partitions": "x", "epochs": 3}, {"partitions": 2, "epochs": 0}])
def test_a_configuration_that_is_none_is_refused(tmp_path, config):
    with pytest.raises(UsageError, match="the configuration of the run in OUTPUT: expected a whole number"):
        continued(options_for(tmp_path), config, 0)


def test_a_configuration_file_that_is_no_json_is_refused(tmp_path):
    output = run_of(tmp_path, finished=True, checkpoint=False)
    output.folder.write("config.json", b"{")
    with pytest.raises(DataError, match=r"--resume: .*config.json: expected JSON"):
        begin(tmp_path, output)


def progress_of(tmp_path, data=DATA, state=None, best=None):
    output = run_of(tmp_path)
    begun = begin(tmp_path, output)
    earlier = begun.earlier.progress
    changed = Progress(state or earlier.state, earlier.history, best)
    begun = begun._replace(earlier=begun.earlier._replace(progress=changed))
    recipe = begun.options.recipe
    plan, optimizer = plan_of(recipe, 100), optimizer_for(begun.options)
    run = TrainingRun(Objective(MODEL), Split(100), plan, optimizer, recipe)
    return begun.progress(begun.options, data, run)


def test_the_progress_of_the_earlier_run_is_the_start(tmp_path):
    assert len(progress_of(tmp_path).history) == 3


def test_another_model_to_start_from_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="expected the MODEL that the run in OUTPUT started from, found another"
    ):
        progress_of(tmp_path, data={**DATA, "start_from": "fff"})


@pytest.mark.parametrize(("name", "path"), [("train", "a.csv"), ("test", "c.csv")])
def test_other_data_are_refused(tmp_path, name, path):
    with pytest.raises(
        DataError,
        match=f"expected the {name} data that the run in OUTPUT read, in the same input splits, found others in "
        f"{path}",
    ):
        progress_of(tmp_path, data={**DATA, name: "fff"})


def test_rows_in_other_partitions_are_refused(tmp_path):
    with pytest.raises(
        DataError, match="expected the training rows in 2 partitions .* found 8: their storage cuts"
    ):
        progress_of(tmp_path, data={"train": "others", "test": "others", "partitions": 8})


def test_a_key_from_a_hostile_checkpoint_stays_in_its_line(tmp_path):
    config = {**options_for(tmp_path).for_cluster(2).resolved(), "a\nb\x1b[31m": "c" * 1000}
    with pytest.raises(UsageError) as message:
        continued(options_for(tmp_path), config, 0)
    assert str(message.value).isprintable() and len(str(message.value)) < 250


def test_a_state_of_another_network_is_refused(tmp_path):
    with pytest.raises(DataError, match="the checkpoint does not fit the network: state: expected trial"):
        progress_of(tmp_path, state={"trial": []})
    with pytest.raises(DataError, match="the checkpoint does not fit the network: best: expected 4 values"):
        progress_of(tmp_path, best=Best(1, 1.0, []))


def test_a_point_to_go_back_to_needs_its_gradients_where_a_step_is_an_epoch(tmp_path):
    optimizer = optimizer_for(options_for(tmp_path))
    state, _ = optimizer.accept_or_reject(optimizer.init(MODEL.init(0)), 1.0)
    with pytest.raises(DataError, match=r"fit the network: state.standing.grads: expected .*, found nothing"):
        progress_of(tmp_path, state=tree.to_plain(state))
    assert progress_of(tmp_path, state=tree.to_plain(optimizer.move(state, MODEL.init(0))))


def test_a_checkpoint_of_other_versions_goes_on_with_a_note(tmp_path, monkeypatch):
    output = run_of(tmp_path)
    now = {**resume.versions(), "numpy": "9.9"}
    monkeypatch.setattr(resume, "versions", lambda: now)
    (note,) = begin(tmp_path, output).notes
    assert note.endswith("then, 9.9 now: the last bits of the result may differ") and "numpy" in note


def test_a_damaged_checkpoint_is_named_in_a_note(tmp_path):
    output = run_of(tmp_path)
    history = tuple(Epoch(n, 0.5, 0.5, 0.1, True, 7) for n in range(1, 5))
    newest = Checkpoints(output.folder, 2)
    point = newest.newest()
    newest.write(point._replace(progress=point.progress._replace(history=history)))
    (file,) = (tmp_path / "out" / "checkpoints").glob("epoch-000004-*.npz")
    file.write_bytes(b"")
    begun = begin(tmp_path, output)
    assert begun.epoch == 3 and str(file) in begun.notes[0]
    assert begun.notes[0].endswith("found 0; epoch 3 is used instead")
    assert begun.lines().splitlines()[0].startswith("note      ")
    output.folder.write("_SUCCESS", b"")
    assert "has ended after epoch 4" in begin(tmp_path, output).lines()


def test_epochs_that_a_checkpoint_promises_are_made_though_the_disk_withholds_it(tmp_path):
    run_of(tmp_path, epochs_made=5)
    output = run_of(tmp_path, epochs_made=3)
    checkpoints = Checkpoints(output.folder, 2)
    whole = output.folder.read

    def read(name, most):
        if name.endswith(".npz") and "epoch-000005" in name:
            raise PlatformError(f"cannot read {name}: Input/output error")
        return whole(name, most)

    output.folder.read = read
    with pytest.raises(
        UsageError, match="epochs: the run in OUTPUT has at least 5, which it has made, found 4"
    ):
        start(options_for(tmp_path, "--epochs", "4", "--resume"), output, checkpoints)


def test_an_older_checkpoint_that_is_damaged_takes_no_one_s_place(tmp_path):
    output = run_of(tmp_path, epochs_made=1)
    run_of(tmp_path, epochs_made=3)
    (manifest,) = (tmp_path / "out" / "checkpoints").glob("epoch-000001-*.json")
    manifest.write_text("{")
    begun = begin(tmp_path, output)
    assert begun.epoch == 3 and begun.notes[0].endswith("its manifest is not JSON; it is passed over")


def test_a_configuration_without_a_newer_option_has_its_earlier_value(monkeypatch):
    words = ["a.csv", "b.csv", "c.csv", "d.csv", "out"]
    parsed = settled(parser.parse(words).for_cluster(2))
    config = {name: value for name, value in parsed.resolved().items() if name != "l2"}
    with pytest.raises(UsageError, match="l2: the run in OUTPUT has none, found 0.0"):
        continued(parsed, config, 0)
    monkeypatch.setitem(resume.EARLIER, "l2", 0.0)  # as option(..., earlier=0.0) declares it
    assert continued(parsed, config, 0) == parsed
    with pytest.raises(UsageError, match="l2: the run in OUTPUT has 0.0, found 0.5"):
        continued(parser.parse([*words, "--l2", "0.5"]).for_cluster(2), config, 0)


def test_a_configuration_without_a_scale_is_of_version_0_1_0_and_means_the_largest_value():
    words = ["a.csv", "b.csv", "c.csv", "d.csv", "out"]
    parsed = parser.parse(words).for_cluster(2)
    config = {name: value for name, value in parsed.resolved().items() if name not in NEW}
    assert "scale" not in config and continued(parsed, config, 0) == settled(parsed, "largest")
    with pytest.raises(UsageError, match="scale: the run in OUTPUT has 'largest', found 'standard'"):
        continued(settled(parsed), config, 0)


def test_the_configuration_survives_its_own_json(tmp_path):
    words = ["--layers", "dense:3,relu,dropout:0.5", "--class-weights", "balanced"]
    parsed = settled(parser.parse(["a.csv", "b.csv", "c.csv", "d.csv", "out", *words]).for_cluster(2))
    config = json.loads(json.dumps(parsed.resolved()))
    assert continued(parsed, config, 0).resolved() == parsed.resolved()
