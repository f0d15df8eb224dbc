"""The report page: one file, safe whatever the names in it, within its size; what lacks a file says so."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from nn.plotting.report import page
from nn.plotting.report.run import MOST_EPOCHS, values_of
from nn.plotting.textfiles import BadFileError
from tests.support import ROOT
from tests.support.report_runs import HOSTILE, images_run, regression_run, table_run
from tests.support.run_folder import write_histories

FINISHED = ROOT / "docs" / "local_test" / "OUTPUT"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """OUTPUT folders: of images, of a table with hostile names, of a regression."""
    made = {"images": images_run, "table": table_run, "values": regression_run}
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in made.items()}


@pytest.fixture
def copy(runs, tmp_path):
    """A function: a copy of a run's folder without some of its files."""

    def made(name, *without):
        folder = tmp_path / name
        shutil.copytree(runs[name], folder)
        for file in without:
            (folder / file).unlink()
        return folder

    return made


def written(*folders, target=None):
    return page.write_report(folders, target).read_text(encoding="utf-8")


def values_in(html):
    """The values of the runs in a page."""
    (text,) = re.findall(r'<script type="application/json" id="runs">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def test_the_page_is_written_to_the_first_output_the_same_each_time(copy, tmp_path):
    first, second = copy("images"), copy("values")
    path = page.write_report([first, second], None)
    assert path == first / "report.html" and not (second / "report.html").exists()
    content = path.read_bytes()
    assert page.write_report([first, second], tmp_path / "new" / "page.html").read_bytes() == content
    assert not list(first.glob(".*"))


def test_the_page_loads_nothing_and_runs_its_own_script_alone(runs):
    html = written(runs["images"], target=runs["images"] / "a.html")
    assert not re.search(r"""(?:src|href)=["'](?!#|data:,)""", html)
    assert "https://" not in html and "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\(|@import|url\((?!#)", html)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy


def test_scripts_are_all_in_the_page_and_none_is_long(runs):
    assert {path.name for path in page_folder().glob("*.js")} == set(page.SCRIPTS)
    for name in page.SCRIPTS:
        text = (page_folder() / name).read_text()
        assert len(text.splitlines()) <= 300 and "innerHTML" not in text and "eval" not in text, name
        assert "</script" not in text and "<!--" not in text


def page_folder():
    return ROOT / "nn" / "plotting" / "report"


@pytest.mark.parametrize("name", ["images", "table", "values"])
def test_names_with_markup_are_text(runs, copy, name):
    folder = copy(name)
    summary = json.loads((folder / "summary.json").read_text())
    summary["data"]["name"] = HOSTILE[0]
    (folder / "summary.json").write_text(json.dumps(summary))
    html = written(folder)
    assert html.count("<script") == 2 and html.count("</script") == 2
    data = html[html.index('id="runs">') + 10 : html.index("</script>")]
    assert not set("<>&\u2028\u2029") & set(data)
    assert values_in(html)[0]["name"] == HOSTILE[0]
    assert "<title>Report · &lt;/script&gt;&lt;script&gt;" in html


def test_hostile_classes_columns_and_categories_come_through_unchanged(runs):
    (run,) = values_in(written(runs["table"], target=runs["table"] / "a.html"))
    assert run["classes"] == sorted(HOSTILE[:2])
    columns = run["network"]["columns"]
    assert [column["name"] for column in columns] == ["age", "<b>city</b>"]
    assert set(columns[1]["values"]) == set(HOSTILE)
    header, rows = run["examples"]["table"]["header"], run["examples"]["table"]["rows"]
    assert header == ["row", "label", "prediction", "probability", "age", "<b>city</b>"] and len(rows) == 40
    assert all(0 <= code <= 1 for pair in run["examples"]["table"]["pairs"] for code in pair)
    assert run["network"]["live"]["inputs"] == "form"


def test_values_are_those_of_the_files(runs):
    run = values_of(runs["images"])
    summary = json.loads((runs["images"] / "summary.json").read_text())
    counts = np.array(run["confusion"]["counts"])
    assert run["test"]["accuracy"] == summary["test"]["accuracy"] == np.trace(counts) / counts.sum()
    truth, prediction, rows = run["confusion"]["mistakes"][0]
    assert counts[truth, prediction] == rows > 0
    assert sum(rows for rows, *_ in run["reliability"]) == counts.sum() == run["confusion"]["rows"]
    assert run["curves"]["cost"]["epoch"] == list(range(1, 9))
    assert run["again"] == f"spark-submit main_task.py --config {runs['images']}/config.json ANOTHER_OUTPUT"
    assert ["epochs", "8"] in run["configuration"] and run["missing"] == {}
    images = run["examples"]["images"]
    assert images["shape"] == [8, 8] and len(images["rows"]) == len(images["labels"]) == 40
    assert run["weights"]["count"] == run["weights"]["units"] == 6


def test_a_regression_has_errors_and_no_classes(runs):
    run = values_of(runs["values"])
    assert run["task"] == "regression" and len(run["predicted"]["actual"]) == 120
    assert "confusion" not in run and "reliability" not in run
    assert run["examples"]["table"]["header"][:4] == ["row", "actual", "prediction", "error"]
    assert run["network"]["live"]["target"]["scale"] > 1


def test_several_runs_are_told_apart_by_the_end_of_their_paths():
    assert page.labels_of(["runs/a/out", "runs/b/out"]) == ["a/out", "b/out"]
    assert page.labels_of(["runs/first", "runs/second/"]) == ["first", "second"]
    assert page.labels_of(["x/a", "x/a"]) == ["1 x/a", "2 x/a"]


def test_a_run_that_goes_on_has_what_is_there_so_far(tmp_path):
    write_histories(tmp_path)
    (tmp_path / "_RUNNING").write_text("{}")
    run = values_of(tmp_path)
    assert run["status"] == "running" and len(run["curves"]["cost"]["epoch"]) == 30
    assert 0 in run["curves"]["cost"]["accepted"] and run["phases"]["totals"]["compute"] > 3
    end = f"in {tmp_path} (a run writes it at its end)"
    assert run["missing"]["confusion"] == f"no confusion_matrix.csv {end}"
    assert run["missing"]["network"] == f"no model.npz {end}"
    assert len(written(tmp_path)) > 1000
    (tmp_path / "_RUNNING").unlink()
    assert values_of(tmp_path)["status"] == "ended" and values_of(tmp_path)["error"] is None
    (tmp_path / "_ERROR.json").write_text(
        '{"code": 5, "kind": "diverged", "message": "the cost is not finite"}\n'
    )
    assert values_of(tmp_path)["error"] == "the cost is not finite"


def test_an_older_run_leaves_the_reliability_diagram_out(tmp_path):
    shutil.copytree(FINISHED, tmp_path, dirs_exist_ok=True)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert values_of(tmp_path)["missing"] == {} and summary["test"].pop("reliability")
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    run = values_of(tmp_path)
    assert (
        list(run["missing"]) == ["reliability"] and "older runs wrote none" in run["missing"]["reliability"]
    )
    assert run["network"]["live"]["inputs"] == "image" and run["status"] == "finished"


def test_what_the_original_project_wrote_has_its_curves(tmp_path):
    write_histories(tmp_path)
    (tmp_path / "history.csv").unlink()
    run = values_of(tmp_path)
    assert set(run["curves"]) == {"cost", "accuracy"} and run["phases"] is None


def test_a_run_without_test_rows_says_so(copy):
    folder = copy("images", "confusion_matrix.csv", "examples.csv")
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, "test": None}))
    run = values_of(folder)
    assert run["missing"]["scores"] == run["missing"]["reliability"] == "the run has no test set"
    assert run["test"]["accuracy"] is None


def test_values_that_are_not_finite_are_left_out(copy):
    folder = copy("images")
    lines = (folder / "history.csv").read_text().splitlines()
    lines[3] = ",".join(["3", "nan", "0.5", "inf", *lines[3].split(",")[4:]])
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    curves = values_of(folder)["curves"]
    assert curves["cost"]["value"][2] is None and curves["learning rate"]["value"][2] is None
    assert values_in(written(folder))[0]["curves"]["cost"]["value"][2] is None


def test_of_many_epochs_some_are_left_out(tmp_path):
    write_histories(tmp_path, epochs=2 * MOST_EPOCHS + 5)
    curve = values_of(tmp_path)["curves"]["cost"]
    assert len(curve["epoch"]) <= MOST_EPOCHS + 1 and curve["of"] == 2 * MOST_EPOCHS + 5
    assert curve["epoch"][:2] == [1, 4] and curve["epoch"][-1] == 2 * MOST_EPOCHS + 5


def test_many_classes_have_their_mistakes_listed(tmp_path):
    k = 40
    counts = np.full((k, k), 1) + np.eye(k, dtype=int) * 50
    counts[3, 7] = 20
    header = ",".join(["truth\\prediction", *map(str, range(k))])
    lines = [",".join(map(str, [truth, *row])) for truth, row in enumerate(counts)]
    (tmp_path / "confusion_matrix.csv").write_text("\n".join([header, *lines]) + "\n")
    confusion = values_of(tmp_path)["confusion"]
    assert confusion["counts"] is None and confusion["mistakes"][0] == [3, 7, 20]
    assert (len(confusion["mistakes"]), confusion["pairs"]) == (200, k * (k - 1))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("config.json", "[1]", "expected an object"),
        ("config.json", "{", "expected JSON"),
        ("summary.json", "{}", "expected a 'data'"),
        ("history.csv", "epoch\n", "expected a column named 'cost'"),
        ("examples.csv", "row,label\n1,2\n", "expected"),
        ("model.npz", "text", "expected NumPy arrays"),
    ],
)
def test_a_bad_file_is_named(copy, name, content, reason):
    folder = copy("images")
    (folder / name).write_text(content)
    with pytest.raises(BadFileError, match=rf"^{re.escape(str(folder / name))}.*{reason}"):
        page.write_report([folder], None)
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("reliability", "reason"),
    [([], "a list"), ([{"rows": 3, "probability": 2, "correct": 1}], "a number from 0 to 1"), (3, "a list")],
)
def test_bad_bins_of_the_reliability_diagram_are_named(copy, reliability, reason):
    folder = copy("images")
    summary = json.loads((folder / "summary.json").read_text())
    summary["test"]["reliability"] = reliability
    (folder / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BadFileError, match=f"expected {reason} at"):
        values_of(folder)


def test_a_page_that_is_full_leaves_out_parts_of_later_runs(runs, monkeypatch):
    folders = [runs["images"], runs["table"], runs["values"]]
    target = runs["images"] / "a.html"
    whole = written(*folders, target=target)
    assert len(whole) < page.LARGEST_PAGE
    monkeypatch.setattr(page, "LARGEST_PAGE", len(whole) - 2000)
    html = written(*folders, target=target)
    assert len(html.encode()) <= page.LARGEST_PAGE
    first, second, third = values_in(html)
    left_out = [
        [key for key, reason in run["missing"].items() if reason == page.FULL]
        for run in (first, second, third)
    ]
    assert left_out[:2] == [[], []] and "network" in left_out[2] and third["network"] is None
    assert first["network"] and second["network"]


def test_eight_runs_of_mnist_fit_in_a_page(tmp_path):
    target = tmp_path / "report.html"
    html = written(*[FINISHED] * 8, target=target)
    assert target.stat().st_size < page.LARGEST_PAGE and len(values_in(html)) == 8


def test_predictions_have_scores_and_no_network(copy):
    folder = copy("images", "model.npz", "history.csv", "config.json")
    shutil.rmtree(folder / "cost_history")
    shutil.rmtree(folder / "accuracy_history")
    summary = json.loads((folder / "summary.json").read_text())
    summary["data"] |= {"rows": 240, "not_predicted": 0}
    (folder / "summary.json").write_text(json.dumps(summary))
    run = values_of(folder)
    assert not run["is_training"] and run["missing"] == {} and run["again"] is None
    assert run["confusion"] and run["curves"] == {} and "network" not in run
    assert "</html>" in written(folder)


def test_numbers_that_are_none_in_json_do_not_stop_the_page(copy):
    folder = copy("images")
    text = (folder / "summary.json").read_text().replace('"total": 4.5', '"total": NaN')
    (folder / "summary.json").write_text(text.replace('"support": 80', '"support": Infinity', 1))
    run = values_of(folder)
    assert "total" not in run["seconds"] and run["scores"]["support"] == [None, 80, 80]
    arrays = dict(np.load(folder / "model.npz"))
    arrays["config"] = np.array(str(arrays["config"]).replace('"gain": ', '"gain": NaN, "g": '))
    np.savez(folder / "model.npz", **arrays)
    assert "</html>" in written(folder)


def test_a_path_that_is_no_text_is_written_about(runs, tmp_path):
    folder = tmp_path / os.fsdecode(b"a\xff<b>")
    shutil.copytree(runs["images"], folder)
    (run,) = values_in(written(folder))
    assert run["label"] == os.fsdecode(b"a\xff<b>")


def test_the_commands_of_the_guide_write_their_pages(runs, tmp_path):
    text = (ROOT / "docs" / "report.md").read_text()
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for name in ("first", "second"):
        shutil.copytree(runs["images"], tmp_path / "runs" / name)
    shutil.copy(ROOT / "generate_plots.py", tmp_path)
    for line in block.splitlines():
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, *line.partition("#")[0].split()[1:]]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
        page_path = "first.html" if "--output" in line else "runs/first/report.html"
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{page_path}\n", "")
    assert len(values_in((tmp_path / "runs/first/report.html").read_text())) == 2


def test_a_page_that_cannot_be_written_is_an_error(runs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(page.NotWrittenError, match="cannot be written"):
        page.write_report([runs["images"]], tmp_path / "file" / "report.html")
