"""The door: whole OUTPUT folders in, pictures and single lines out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import generate_plots
from tests.support.run_folder import SIDE, keep_only, write_histories, write_results

SCRIPT = Path(generate_plots.__file__)
PICTURES = [
    "cost_history",
    "accuracy_history",
    "learning_rate",
    "epoch_time",
    "confusion_matrix",
    "class_metrics",
    "samples",
    "weights",
]


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "OUTPUT"
    folder.mkdir()
    write_histories(folder)
    write_results(folder)
    return folder


def run(capsys, *arguments):
    """(exit code, lines on stdout, lines on stderr)"""
    try:
        code = generate_plots.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def size_of(path):
    """Width and height of a PNG file."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def test_output_draws_every_picture_the_same_each_time_and_prints_its_path(capsys, output):
    code, out, err = run(capsys, output)
    assert (code, err) == (0, [])
    assert out == [str(output / f"{name}.png") for name in PICTURES]
    for path in map(Path, out):
        width, height = size_of(path)
        assert 1200 <= width <= 1600
        assert 700 <= height <= 2000
    assert not list(output.glob(".*"))
    first = [Path(path).read_bytes() for path in out]
    run(capsys, output)
    assert [Path(path).read_bytes() for path in out] == first


def test_html_writes_one_page_and_prints_its_path(capsys, output, tmp_path):
    code, out, err = run(capsys, output, "--html")
    assert (code, out, err) == (0, [str(output / "report.html")], [])
    other = tmp_path / "pages" / "one.html"
    assert run(capsys, output, output, "--html", "--output", other) == (0, [str(other)], [])
    assert b"</html>" in other.read_bytes() and not list(output.glob("*.png"))


@pytest.mark.parametrize(
    ("break_it", "code", "message"),
    [
        (
            lambda output: (output / "history.csv").write_text("epoch\n"),
            3,
            "history.csv, line 1: expected a column",
        ),
        (
            lambda output: (output / "report.html").mkdir(),
            4,
            "report.html: cannot be written (Is a directory)",
        ),
    ],
)
def test_a_page_that_cannot_be_made_is_one_line(capsys, output, break_it, code, message):
    break_it(output)
    found, out, err = run(capsys, output, "--html")
    assert (found, out, len(err)) == (code, [], 1)
    assert err[0].startswith(f"generate_plots.py: error: {output}") and message in err[0]


def test_the_page_needs_no_matplotlib(output):
    code = (
        f"import sys; sys.modules['matplotlib'] = None; sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        f"import generate_plots; sys.exit(generate_plots.main([{str(output)!r}, '--html']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{output / 'report.html'}\n", "")


def test_three_paths_draw_the_two_histories_as_the_original_did(capsys, output, tmp_path):
    target = tmp_path / "new" / "pictures"
    costs, accuracies = output / "cost_history" / "part-00000", output / "accuracy_history"
    code, out, err = run(capsys, costs, accuracies, target)
    assert (code, err) == (0, [])
    assert out == [str(target / "cost_history.png"), str(target / "accuracy_history.png")]
    assert sorted(path.name for path in target.iterdir()) == ["accuracy_history.png", "cost_history.png"]


def test_none_skips_the_accuracy(capsys, output, tmp_path):
    code, out, _ = run(capsys, output / "cost_history", "None", tmp_path)
    assert (code, out) == (0, [str(tmp_path / "cost_history.png")])


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_format_chooses_the_kind_of_file(capsys, output, tmp_path, kind):
    code, out, _ = run(capsys, output / "cost_history", "None", tmp_path, "--format", kind)
    assert (code, out) == (0, [str(tmp_path / f"cost_history.{kind}")])
    assert kind in Path(out[0]).read_bytes()[:200].decode("latin-1").lower()


def test_a_run_still_going_on_has_its_curves(capsys, output):
    keep_only(output, "history.csv")
    code, out, err = run(capsys, output)
    assert code == 0
    assert out == [str(output / f"{name}.png") for name in PICTURES[:4]]
    assert err == [
        f"generate_plots.py: {picture}.png left out: no {needed} in {output} (a run writes it at its end)"
        for picture, needed in [
            ("confusion_matrix", "confusion_matrix.csv"),
            ("class_metrics", "summary.json and no metrics"),
            ("samples", "examples.csv"),
            ("weights", "model.npz"),
        ]
    ]


@pytest.mark.parametrize("emptied", [True, False])
def test_an_older_run_has_all_pictures_but_that_of_its_time(capsys, output, emptied):
    head, *lines = (output / "history.csv").read_text().splitlines()
    if emptied:
        lines = [",".join(line.split(",")[:7]) + ",,,,," for line in lines]
    else:
        head, *lines = (",".join(line.split(",")[:7]) for line in (head, *lines))
    (output / "history.csv").write_text("\n".join([head, *lines]) + "\n")
    code, out, err = run(capsys, output)
    assert code == 0
    assert out == [str(output / f"{name}.png") for name in PICTURES if name != "epoch_time"]
    assert err == [
        "generate_plots.py: epoch_time.png left out: history.csv has no seconds by phase (older runs wrote none)"
    ]


def test_pictures_do_without_the_summary(capsys, output):
    (output / "summary.json").unlink()
    code, out, err = run(capsys, output)
    assert (code, len(out), len(err)) == (0, 7, 1)


def test_a_picture_left_out_says_that_an_older_one_is_there(capsys, output):
    keep_only(output, "history.csv")
    (output / "weights.png").write_text("from the last run")
    _, _, err = run(capsys, output)
    assert err[-1].endswith("; the one that is there was drawn earlier")


def test_inputs_that_are_no_image_leave_two_pictures_out(capsys, output):
    keep_only(output, "examples.csv", "model.npz")
    config = {"input_shape": [6], "layers": [{"name": "dense", "units": 2}]}
    np.savez(output / "model.npz", **{"config": np.array(json.dumps(config)), "0.W": np.zeros((6, 2))})
    (output / "examples.csv").write_text(
        "row,label,prediction,probability,x0,x1,x2,x3,x4,x5\n1,1,1,1,1,2,3,4,5,6\n"
    )
    code, out, err = run(capsys, output)
    assert (code, len(out)) == (0, 4)
    assert err[2:] == [
        f"generate_plots.py: {name}.png left out: 6 input values do not make a square image"
        for name in ("samples", "weights")
    ]


def test_weights_of_columns_are_not_drawn_as_an_image(capsys, output):
    keep_only(output, "model.npz", "summary.json")
    names = ["age", "income", "visits", "spent"]
    config = {"input_shape": [4], "layers": [{"name": "dense", "units": 2}]}
    np.savez(output / "model.npz", **{"config": np.array(json.dumps(config)), "0.W": np.zeros((4, 2))})
    summary = json.loads((output / "summary.json").read_text())
    columns = [{"kind": "number", "name": name} for name in names]
    summary["model"] = {"input_shape": [4], "encoder": {"columns": columns}}
    (output / "summary.json").write_text(json.dumps(summary))
    _, out, err = run(capsys, output)
    assert not any(line.endswith("weights.png") for line in out)
    assert "generate_plots.py: weights.png left out: the inputs are columns of a table, not images" in err


def test_a_network_that_begins_with_a_convolution_leaves_the_weights_out(capsys, output):
    keep_only(output, "model.npz")
    config = {"input_shape": [SIDE, SIDE, 1], "layers": [{"name": "convolution", "filters": 3}]}
    np.savez(output / "model.npz", config=np.array(json.dumps(config)))
    code, out, err = run(capsys, output)
    assert (code, len(out)) == (0, 4)
    assert "weights.png left out: the network begins with a convolution layer" in err[-1]


def test_a_run_that_diverged_is_drawn_and_said(capsys, output, tmp_path):
    costs = tmp_path / "costs"
    costs.write_text("0.5\n7e30\ninf\nnan\nnan\n")
    code, out, err = run(capsys, costs, "None", tmp_path)
    assert (code, len(out)) == (0, 1)
    assert err == [f"generate_plots.py: {costs}: 3 of 5 epochs, from 3 on, have no finite cost: not drawn"]


def test_names_without_glyphs_are_replaced_and_said(capsys, output):
    keep_only(output, "summary.json")
    summary = json.loads((output / "summary.json").read_text())
    summary["data"]["class_names"] = ["お", "き", "c", "d"]
    (output / "summary.json").write_text(json.dumps(summary))
    code, out, err = run(capsys, output)
    assert (code, len(out)) == (0, 5)
    assert err[0] == (
        f"generate_plots.py: {output / 'summary.json'}: 2 class names have characters that the font lacks: "
        "class numbers instead"
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("history.csv", "epoch\n", "expected a column named 'cost'"),
        ("summary.json", "{}", "expected a 'data'"),
        (
            "confusion_matrix.csv",
            "truth,0,1\n0,1,1\n1,1,1\n",
            "expected 4 classes as in summary.json, found 2",
        ),
        (
            "examples.csv",
            "row,label,prediction,probability,x0\n1,9,1,1,1\n",
            "expected classes below 4 as in summary.json, found class 9",
        ),
        ("model.npz", "text", "expected NumPy arrays in an .npz file"),
    ],
)
def test_a_bad_file_ends_in_one_line_before_anything_is_drawn(capsys, output, name, content, reason):
    (output / name).unlink()
    if content is not None:
        (output / name).write_text(content)
    code, out, err = run(capsys, output)
    assert (code, out, len(err)) == (3, [], 1)
    assert err[0].startswith(f"generate_plots.py: error: {output / name}")
    assert reason in err[0]
    assert not list(output.glob("*.png"))


def test_a_model_that_may_unpack_without_end_is_not_unpacked(capsys, output):
    config = np.array(json.dumps({"input_shape": [4], "layers": []}))
    np.savez_compressed(output / "model.npz", config=config, **{"0.W": np.zeros((1000, 1000))})
    code, out, err = run(capsys, output)
    assert (code, out, len(err)) == (3, [], 1)
    assert "expected arrays without compression, found compressed ones" in err[0]


def test_a_model_whose_headers_claim_more_than_the_file_is_not_read(capsys, output):
    content = bytearray((output / "model.npz").read_bytes())
    offset = content.index(b"PK\x01\x02") + 24  # an entry of the archive's directory: bytes when unpacked
    content[offset : offset + 4] = (1 << 30).to_bytes(4, "little")
    (output / "model.npz").write_bytes(content)
    code, out, err = run(capsys, output)
    assert (code, out, len(err)) == (3, [], 1)
    assert "expected arrays of at most the file's size" in err[0]


def original_output(folder):
    """What the original project wrote: histories, metrics and tests as part files, and no table."""
    write_histories(folder)
    (folder / "history.csv").unlink()
    for name, lines in (
        ("metrics", "(0.9, 0.8, 0.85)\n(np.float64(0.7), np.float64(1.0), np.float64(0.82))\n"),
        ("tests", "(0, 0)\n"),
    ):
        (folder / name).mkdir()
        (folder / name / "part-00000").write_text(lines)


def test_the_originals_output_has_its_histories_and_scores(capsys, tmp_path):
    original_output(tmp_path)
    code, out, err = run(capsys, tmp_path)
    assert code == 0
    assert out == [
        str(tmp_path / f"{name}.png") for name in ("cost_history", "accuracy_history", "class_metrics")
    ]
    end = "(a run writes it at its end)"
    assert err == [
        f"generate_plots.py: learning_rate.png left out: no history.csv in {tmp_path}",
        f"generate_plots.py: epoch_time.png left out: no history.csv in {tmp_path}",
        f"generate_plots.py: confusion_matrix.png left out: no confusion_matrix.csv in {tmp_path} {end}",
        f"generate_plots.py: samples.png left out: no examples.csv in {tmp_path} {end}",
        f"generate_plots.py: weights.png left out: no model.npz in {tmp_path} {end}",
    ]


def test_part_files_beside_newer_ones_are_not_read(capsys, output):
    keep_only(output, "summary.json")
    (output / "metrics").mkdir()
    for name in ("cost_history", "accuracy_history", "metrics"):
        (output / name / "part-00000").write_text("no number\n")
    code, out, _ = run(capsys, output)
    assert (code, len(out)) == (0, 5)


def test_a_folder_with_some_of_the_originals_files_has_their_pictures(capsys, tmp_path):
    (tmp_path / "accuracy_history").mkdir()
    for number, values in enumerate(("10\n20\n", "nan\n90.5\n")):
        (tmp_path / "accuracy_history" / f"part-0000{number}").write_text(values)
    code, out, err = run(capsys, tmp_path)
    assert (code, out) == (0, [str(tmp_path / "accuracy_history.png")])
    assert err[0].endswith("accuracy_history: 1 of 4 epochs, from 3 on, have no finite accuracy: not drawn")
    assert err[1] == (
        f"generate_plots.py: cost_history.png left out: no history.csv and no cost_history in {tmp_path}"
    )
    (tmp_path / "accuracy_history" / "part-00001").write_text("0.5\nmuch\n")
    code, out, err = run(capsys, tmp_path)
    assert (code, out, len(err)) == (3, [], 1) and "part-00001, line 2: expected one number" in err[0]


def test_a_finished_run_without_its_table_of_epochs_has_the_rest(capsys, output):
    keep_only(output, "confusion_matrix.csv")
    (output / "history.csv").unlink()
    code, out, _ = run(capsys, output)
    assert (code, out) == (
        0,
        [str(output / f"{name}.png") for name in ("cost_history", "accuracy_history", "confusion_matrix")],
    )


def test_a_folder_without_any_file_of_a_run_is_an_error(capsys, tmp_path):
    code, out, err = run(capsys, tmp_path)
    assert (code, out, len(err)) == (3, [], 1)
    assert err[0].endswith("cost_history, accuracy_history, metrics of a run, found none of them")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("0.1, 0.2, 0.3", "'0.1"), ("(0.1, 0.2)", "'(0.1, 0.2)'"), ("(0.1, 2, 0.3)", "'(0.1, 2")],
)
def test_scores_of_the_original_that_are_none_are_named(capsys, tmp_path, line, reason):
    original_output(tmp_path)
    (tmp_path / "metrics" / "part-00000").write_text(f"(0, 1, 0.5)\n{line}\n")
    code, out, err = run(capsys, tmp_path)
    assert (code, out, len(err)) == (3, [], 1)
    assert (
        f"part-00000, line 2: expected (precision, recall, f1), numbers from 0 to 1, found {reason}" in err[0]
    )


def test_a_picture_that_cannot_be_written_is_one_line_and_code_4(capsys, output, monkeypatch):
    keep_only(output, "history.csv")
    (output / "accuracy_history.png").mkdir()
    code, out, err = run(capsys, output)
    assert (code, out, len(err)) == (4, [str(output / "cost_history.png")], 1)
    assert err[0] == (
        f"generate_plots.py: error: {output / 'accuracy_history.png'}: cannot be written (Is a directory)"
    )
    assert not list(output.glob(".*"))

    def no_rights(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", no_rights)
    code, out, err = run(capsys, output)
    assert (code, out) == (4, [])
    assert err == [f"generate_plots.py: error: {output / 'history.csv'}: Permission denied"]


def test_every_path_is_printed_as_one_line_that_steers_no_terminal(capsys, tmp_path):
    folder = tmp_path / os.fsdecode(b"a\n\x1b[2J\xff")
    folder.mkdir()
    (folder / "costs").write_text("1\n2\n")
    shown = rf"{tmp_path}/a\n\x1b[2J\udcff"
    code, out, err = run(capsys, folder / "costs", "None", folder)
    assert (code, out, err) == (0, [rf"{shown}/cost_history.png"], [])
    code, out, err = run(capsys, folder)
    assert (code, len(err)) == (3, 1) and err[0].startswith(rf"generate_plots.py: error: {shown}: expected")


def test_what_a_stream_cannot_encode_is_escaped(tmp_path):
    (tmp_path / "costs").write_text("1\n2\n")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "costs", "None", "é"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\\xe9/cost_history.png\n", b"")


def test_a_missing_output_and_a_file_in_its_place_are_errors(capsys, tmp_path):
    code, out, err = run(capsys, tmp_path / "nowhere")
    assert (code, out, len(err)) == (3, [], 1)
    assert "expected the OUTPUT folder of a run, found nothing there" in err[0]
    (tmp_path / "file").write_text("1\n")
    assert "found a file" in run(capsys, tmp_path / "file")[2][0]
    code, out, err = run(capsys, tmp_path / "file", "None", tmp_path / "file")
    assert (code, out, len(err)) == (4, [], 1)
    assert "cannot be made a folder" in err[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: PATH"),
        (["a", "b"], "ACCURACY_FILE OUTPUT_FOLDER, got 2 paths; several runs in one page: --html"),
        (["a", "--html", "--format", "svg"], "--html writes a page, which has no --format"),
        (["a", "--output", "b"], "--output is the page of --html; pictures are written to OUTPUT"),
        (["a", "--html", "--output", ""], "expected paths, found ''"),
        (["a", "--html", "--output=--"], "argument --output: no option takes the value '--'"),
        ([*"abcdefghi", "--html"], "expected 1 to 8 OUTPUT folders, got 9"),
        (["--html"], "required: PATH"),
        (["a", "b", "c", "d"], "got 4 paths"),
        (["a", "--format", "gif"], "argument --format: invalid choice: 'gif'"),
        (["a", "--format=--"], "argument --format: no option takes the value '--'"),
        (["a", "--format="], "argument --format: invalid choice: ''"),
        (["a", "--format"], "argument --format: expected one argument"),
        (["a", "--format", "--"], "argument --format: expected one argument"),
        (["a", "--form=png"], "unrecognized arguments: --form=png"),
        (["--nonsense"], "required: PATH"),
        (["a", "--="], "unrecognized arguments: --="),
        (["a", "-x\n\x1b[2J"], r"unrecognized arguments: -x\n\x1b[2J"),
        ([""], "expected paths, found ''"),
        (["a", "None", ""], "expected paths, found ''"),
    ],
)
def test_usage_errors_are_one_line_and_end_with_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith("generate_plots.py: error: ") and message in err[0]


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("gs://bucket/output", "gcloud storage cp -r gs://bucket/output FOLDER"),
        ("hdfs:///user/me/output", "hdfs dfs -get hdfs:///user/me/output FOLDER"),
        ("abfss://c@account/output", "hadoop fs -get abfss://c@account/output FOLDER"),
    ],
)
def test_a_path_on_other_storage_says_how_to_copy_it(capsys, path, advice):
    for arguments in ([path], ["here", path, "--html"], ["here", "--html", "--output", path]):
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, [])
        assert err[0].endswith(f"{path} is not on this machine; copy it first: {advice} (see --help)")


def test_help_has_examples_and_neither_spark_nor_matplotlib_is_loaded(tmp_path):
    code = (
        f"import sys, runpy; sys.argv = ['generate_plots.py', '--help']; sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        f"try: runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "assert not {'pyspark', 'matplotlib', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "examples:" in done.stdout


def test_without_matplotlib_one_line_says_how_to_get_it(capsys, monkeypatch, output):
    for module in [name for name in sys.modules if name.startswith("nn.plotting")]:
        monkeypatch.delitem(sys.modules, module)

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "nn.plotting.gallery":
                raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    code, out, err = run(capsys, output)
    assert (code, out, len(err)) == (4, [], 1)
    assert err[0].endswith("-m pip install matplotlib")


def test_the_script_runs_from_any_folder_without_display_or_spark(output, tmp_path):
    (tmp_path / "pyspark.py").write_text("raise ImportError('no Spark in a plot')")
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment |= {"MPLBACKEND": "TkAgg", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(output)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(PICTURES)
