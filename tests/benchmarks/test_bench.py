"""The side-by-side benchmark from its command line: what runs in which order, what is skipped, what is written."""

import json
import sys

import pytest

from tests.support import ROOT
from tests.support.data import blobs, write_csv

sys.path.append(str(ROOT / "benchmarks"))

import bench
import commandline
import pictures
import sections
from contestants import ACCURACY, CONTESTANTS, HIDDEN, ROWS, STANDARD, named
from launch import Launcher, Reply, understood
from peers import digits

from nn.core.errors import DataError, UsageError

NAMES = ("machine", *sections.SECTIONS, "phases")
DOCUMENT = "# By hand\n" + "".join(
    f"\n## {name}\n\n<!-- bench:{name} -->\n<!-- /bench:{name} -->\n" for name in NAMES
)


@pytest.fixture
def data(tmp_path):
    """A folder with the four files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for part, rows in (("train", 700), ("test", 90)):
        inputs, labels = blobs(rows, classes=10)
        write_csv(digits.path(folder, "images", part), inputs)
        write_csv(digits.path(folder, "labels", part), labels)
    return str(folder)


@pytest.fixture
def document(tmp_path):
    """A document with all markers."""
    path = tmp_path / "docs" / "benchmarks.md"
    path.parent.mkdir()
    path.write_text(DOCUMENT)
    return path


def words(tmp_path, document, *more):
    return [*more, "--results", str(tmp_path / "results"), "--document", str(document)]


def faked(name="x"):
    """An answer as peers give it."""
    epochs = [
        {"seconds": 0.5 + number / 10, "accuracy": 0.9 + number / 50, "read": 0.1} for number in range(5)
    ]
    memory = {"driver_jvm": None, "python": 10.0, "workers": None, "worker": None}
    return {
        "peer": name,
        "versions": {"numpy": "2"},
        "load": 1.0,
        "epochs": epochs,
        "memory": memory,
        "note": "",
    }


def test_a_real_quick_run_measures_writes_and_renders_the_same_again(data, tmp_path, document, capsys):
    args = words(
        tmp_path, document, data, "--quick", "--only", "speed,loading,memory", "--peers", "numpy_limit"
    )
    bench.main(commandline.parse(args))
    text = document.read_text()
    assert "| NumPy limit |" in text and "| NumPy limit, all rows |" in text and "ended with code" not in text
    assert text.replace("\n\n", "\n").startswith("# By hand\n## machine\n<!-- bench:machine -->\n")
    saved = json.loads((tmp_path / "results" / "standard.json").read_text())
    assert (
        saved["machine"]["cores"] >= 1 and saved["machine"]["date"] and str(tmp_path) not in saved["command"]
    )
    answer = saved["runs"][0]["answer"]
    assert len(answer["epochs"]) == 2 and answer["versions"]["numpy"] and answer["load"] > 0
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["standard.json"]
    picture = (document.parent / "benchmarks" / "speed.png").read_bytes()

    document.write_text(DOCUMENT)
    bench.main(commandline.parse(words(tmp_path, document, "--render", "--only", "speed,loading,memory")))
    assert document.read_text() == text
    assert (document.parent / "benchmarks" / "speed.png").read_bytes() == picture


def test_every_section_can_be_written_from_what_was_saved(data, tmp_path, document, monkeypatch):
    monkeypatch.setattr(Launcher, "run", lambda self, peer, words, elsewhere=False: Reply(faked(peer)))
    (tmp_path / "results").mkdir(exist_ok=True)
    (tmp_path / "results" / "scaling.json").write_text("[]")  # what another program saved
    bench.main(commandline.parse(words(tmp_path, document, data, "--quick")))
    text = document.read_text()
    for name in NAMES:
        inside = text.partition(f"<!-- bench:{name} -->")[2].partition(f"<!-- /bench:{name} -->")[0]
        assert inside.strip(), name
    for name in ("speed", "accuracy", "rows", "hidden", "partitions"):
        assert (
            f"![{pictures.DESCRIPTIONS[name]}](benchmarks/{name}.png)" in text
            and (document.parent / "benchmarks" / f"{name}.png").is_file()
        )


def test_a_peer_that_lacks_its_module_is_skipped_with_a_word_and_asked_once(
    data, tmp_path, document, monkeypatch, capsys
):
    started = []

    def run(self, peer, words, elsewhere=False):
        started.append(peer)
        if peer == "torch_process":
            return Reply(
                None, "no module torch in its Python: pip install -r requirements-bench.txt", missing=True
            )
        return Reply(faked(peer))

    monkeypatch.setattr(Launcher, "run", run)
    some = ("--only", "speed", "--peers", "numpy_limit,torch_process", "--repeats", "3")
    bench.main(commandline.parse(words(tmp_path, document, data, *some)))
    torch = [each for each in CONTESTANTS if each.peer == "torch_process" and STANDARD in each.sections]
    assert started.count("torch_process") == len(torch) and started.count("numpy_limit") == 6
    out = capsys.readouterr().out
    assert out.count("skipped: no module torch in its Python: pip install -r requirements-bench.txt") == len(
        torch
    )
    assert "Not measured: PyTorch, one process (no module torch" in document.read_text()


def test_without_a_native_blas_its_contestant_is_skipped(data, tmp_path, document, monkeypatch, capsys):
    monkeypatch.setattr(Launcher, "run", lambda self, peer, words, elsewhere=False: Reply(faked(peer)))
    args = commandline.parse(
        words(tmp_path, document, data, "--quick", "--only", "speed", "--peers", "spark_mlp")
    )
    args.native_blas = None
    bench.main(args)
    assert "native BLAS, 0: skipped: no native BLAS here: apt-get install" in capsys.readouterr().out


def test_repeats_take_turns():
    args = commandline.parse(["data", "--repeats", "2"])
    turns = list(sections.turns(STANDARD, named("numpy_limit,sklearn_mlp"), args))
    assert [turn.contestant.peer for turn in turns] == ["numpy_limit", "sklearn_mlp", "numpy_limit"] * 2
    assert [turn.repeat for turn in turns] == [0, 0, 0, 1, 1, 1]


def test_a_setting_that_grows_is_told_to_the_peers():
    args = commandline.parse(
        ["data", "--row-times", "1,5", "--hidden-units", "64,128", "--growth-repeats", "1"]
    )
    rows = [turn for turn in sections.turns(ROWS, named("nn_spark"), args) if turn.setting == {"rows": 5}]
    assert all("--times 5 --driver-memory 8g" in " ".join(turn.words) for turn in rows) and rows
    hidden = list(sections.turns(HIDDEN, named("numpy_limit"), args))
    assert {turn.words[turn.words.index("--hidden") + 1] for turn in hidden} == {"64", "128"}


def test_time_to_accuracy_has_a_seed_a_repeat_and_slow_peers_train_the_first_network_only():
    args = commandline.parse(["data", "--seeds", "2", "--accuracy-hidden", "64,256"])
    turns = list(sections.turns(ACCURACY, named("numpy_limit,spark_mlp"), args))
    found = [(turn.contestant.peer, turn.repeat, turn.setting["hidden"]) for turn in turns]
    once = [
        ("numpy_limit", 64),
        ("numpy_limit", 64),
        ("spark_mlp", 64),
        ("numpy_limit", 256),
        ("numpy_limit", 256),
    ]
    assert found == [(peer, seed, units) for seed in (0, 1) for peer, units in once]
    assert "--until 0.98 --levels 0.95,0.97" in " ".join(turns[2].words)


def test_a_missing_marker_is_told_before_anything_runs(data, tmp_path, document, monkeypatch):
    monkeypatch.setattr(Launcher, "run", lambda *_: pytest.fail("measured first"))
    document.write_text(DOCUMENT.replace("<!-- /bench:rows -->", ""))
    with pytest.raises(DataError, match="benchmarks.md: expected the line <!-- bench:rows --> and after it"):
        bench.main(commandline.parse(words(tmp_path, document, data, "--only", "rows")))


def test_missing_data_and_results_are_one_line_each(tmp_path, document):
    with pytest.raises(DataError, match="mnist_images_train.csv; python generate_data.py writes it"):
        bench.main(commandline.parse(words(tmp_path, document, str(tmp_path))))
    with pytest.raises(DataError, match="expected results of bench.py, found none"):
        bench.main(commandline.parse(words(tmp_path, document, "--render")))


def test_unknown_peers_and_sections_are_refused(capsys):
    with pytest.raises(UsageError, match="--peers: expected peers of .*numpy_limit.*, found 'jax'"):
        commandline.parse(["data", "--peers", "jax"])
    with pytest.raises(UsageError, match="--peers-python: expected a Python, found /no/such"):
        commandline.parse(["data", "--peers-python", "/no/such"])
    with pytest.raises(SystemExit):
        commandline.parse(["data", "--only", "speed,color"])
    assert "expected some of speed, accuracy, loading, rows" in capsys.readouterr().err


def test_a_quick_run_leaves_the_real_results_alone():
    args = commandline.parse(["data", "--quick"])
    assert args.document is None and args.results != commandline.RESULTS
    assert (
        commandline.parse(["data"]).results == commandline.RESULTS
        and commandline.parse(["data"]).document == commandline.DOCUMENT
    )


def test_a_run_with_some_peers_alone_leaves_the_real_results_alone(tmp_path):
    some = ["data", "--peers", "numpy_limit"]
    args = commandline.parse(some)
    assert args.document is None and args.results != commandline.RESULTS
    args = commandline.parse([*some, "--results", str(tmp_path)])
    assert args.document is None and args.results == tmp_path
    args = commandline.parse([*some, "--document", str(tmp_path / "a.md")])
    assert args.document == tmp_path / "a.md" and args.results != commandline.RESULTS
    args = commandline.parse([*some, "--render"])  # it measures nothing that could replace them
    assert (args.results, args.document) == (commandline.RESULTS, commandline.DOCUMENT)


def test_what_grows_is_warm_before_it_counts():
    def epochs(section, *more):
        args = commandline.parse(["data", "--row-times", "1,3,10", "--hidden-units", "64", *more])
        turns = sections.turns(section, named("nn_spark"), args)
        return [int(turn.words[turn.words.index("--epochs") + 1]) for turn in turns]

    assert epochs(ROWS) == [30, 30, 30, 30, 8, 8]  # two contestants of 1, 3 and 10 times the rows
    assert epochs(HIDDEN) == [30, 30] and epochs(HIDDEN, "--most-epochs", "5") == [5, 5]
    assert epochs(STANDARD) == [40, 40, 40] * 3


def test_sparks_own_classifier_is_timed_over_fits_of_two_lengths():
    turn = next(sections.turns(STANDARD, named("spark_mlp"), commandline.parse(["data"])))
    assert turn.words[turn.words.index("--epochs") + 1] == "15"


@pytest.mark.parametrize(
    "out, err, why",
    [
        ("", "Traceback\n  x\nValueError: no\n", "ended with code 1 and without an answer: ValueError: no"),
        ("some text\n", "", "ended with code 1 and without an answer: no message"),
        ("[1]\n", "", "ended with code 1 and without an answer: no message"),
        ('noise\n{"peer": "x", "skipped": "because", "missing": false}\n', "", "because"),
    ],
)
def test_what_keeps_a_peer_from_answering_is_one_line(out, err, why):
    assert understood(out, err, 1) == Reply(None, why)


def test_a_peer_that_takes_too_long_is_ended(data):
    few = ["--data", data, "--epochs", "1000000"]
    assert Launcher(seconds=0.5).run("numpy_limit", few) == Reply(None, "not done after 0.5 s")


def test_an_interpreter_that_is_not_there_is_one_line():
    reply = Launcher(peers_python="/no/such/python").run("torch_process", [], elsewhere=True)
    assert reply.answer is None and reply.missing
    assert reply.why == "/no/such/python cannot be started (No such file or directory)"


def test_a_setting_that_does_not_fit_skips_that_setting_alone(data, tmp_path, document, monkeypatch, capsys):
    def run(self, peer, words, elsewhere=False):
        too_large = words[words.index("--times") + 1] == "9"
        return Reply(None, "the rows need 9 MB, 1 MB are free") if too_large else Reply(faked(peer))

    monkeypatch.setattr(Launcher, "run", run)
    some = ("--only", "rows", "--peers", "numpy_limit", "--row-times", "1,9,2", "--growth-repeats", "2")
    bench.main(commandline.parse(words(tmp_path, document, data, *some)))
    assert capsys.readouterr().out.count("skipped: the rows need 9 MB") == 4
    assert "| 2x | 0.80 s | 0.80 s |\n| 9x | – | – |" in document.read_text()


@pytest.mark.parametrize("section", list(sections.SECTIONS))
def test_where_nobody_can_be_measured_the_document_says_why(data, tmp_path, document, monkeypatch, section):
    monkeypatch.setattr(
        Launcher, "run", lambda *_: Reply(None, "no module numpy in its Python", missing=True)
    )
    some = ("--quick", "--only", section, "--peers", "nn_spark")
    bench.main(commandline.parse(words(tmp_path, document, data, *some)))
    assert "Not measured: this project" in document.read_text()
    assert list(document.parent.glob("benchmarks/*.png")) == []
