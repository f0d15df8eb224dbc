import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.setup import data, environment, inside, java, summary
from tools.setup.console import ROOT, SetupError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One real environment without packages, with the stamp of an empty requirements file."""
    folder = tmp_path_factory.mktemp("a project") / ".venv"
    requirements = folder.parent / "requirements.txt"
    requirements.write_text("# nothing\n", encoding="utf-8")
    environment.prepare(folder, requirements)
    return folder, requirements


def test_prepare_does_nothing_the_second_time(made, capsys):
    folder, requirements = made
    before = (folder / "pyvenv.cfg").stat().st_mtime_ns
    environment.prepare(folder, requirements)
    assert capsys.readouterr().out == ""
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == before


def test_changed_requirements_are_installed_again(made):
    folder, requirements = made
    assert environment.up_to_date(folder, requirements)
    text = requirements.read_text(encoding="utf-8")
    requirements.write_text("# another comment\n", encoding="utf-8")
    assert not environment.up_to_date(folder, requirements)
    requirements.write_text(text, encoding="utf-8")


def test_an_included_file_counts_and_is_stamped_first(tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    dev = tmp_path / "requirements-dev.txt"
    dev.write_text("# more\n-r requirements.txt\npytest\n", encoding="utf-8")
    assert [file.name for file in environment.requirement_files(dev)] == [
        "requirements.txt",
        "requirements-dev.txt",
    ]
    before = environment.digest(dev)
    (tmp_path / "requirements.txt").write_text("numpy<3\n", encoding="utf-8")
    assert environment.digest(dev) != before


def test_defects_are_seen(made, tmp_path):
    folder, requirements = made
    assert environment.defect(folder) is None
    file = environment.stamp_path(folder, requirements)
    word, python, home, _ = file.read_text(encoding="utf-8").split("\n")
    file.write_text(f"{word}\n{python}\n/somewhere/else\n", encoding="utf-8")
    assert environment.defect(folder) == "it was made in /somewhere/else"
    file.write_text(f"{word}\n3.9\n{home}\n", encoding="utf-8")
    assert environment.defect(folder) == f"it was made with Python 3.9, which is {python} now"
    file.write_text(f"{word}\n{python}\n{home}\n", encoding="utf-8")
    broken = tmp_path / ".venv"
    (broken / "bin").mkdir(parents=True)
    (broken / "bin" / "python").symlink_to("/nonexistent/python3")
    assert environment.defect(broken) == "its Python or pip does not run"


def test_only_an_environment_is_ever_removed(tmp_path):
    folder = tmp_path / ".venv"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(SetupError, match="is no virtual environment: move it away"):
        environment.remove(folder, "its Python or pip does not run")
    assert (folder / "thesis.txt").exists()
    (folder / "pyvenv.cfg").write_text("", encoding="utf-8")
    environment.remove(folder, "it is broken")
    assert not folder.exists()


def test_a_python_without_venv_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: name != "ensurepip" or None)
    monkeypatch.setattr(environment.packages, "find_manager", lambda: environment.packages.MANAGERS[0])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert environment.missing_modules() == (
        f"Python {python} ({sys.executable}) lacks ensurepip; "
        f"type: sudo apt-get update && sudo apt-get install python{python}-venv"
    )


def test_pip_is_not_led_elsewhere():
    env = environment.without_redirects(
        {"PYTHONPATH": "/x", "PIP_USER": "1", "PIP_TARGET": "/y", "PIP_CERT": "/z"}
    )
    assert env == {"PIP_CERT": "/z"}


def test_variables_hide_every_other_spark(tmp_path):
    folder = tmp_path / "with space" / ".venv"
    package = folder / "lib" / "python3.11" / "site-packages" / "pyspark"
    package.mkdir(parents=True)
    inherited = {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "SPARK_HOME": "/opt/spark-2.4",
        "SPARK_CONF_DIR": "/etc/spark",
        "SPARK_LOCAL_DIRS": "/scratch",
        "PYSPARK_PYTHON": "python2",
        "PYSPARK_DRIVER_PYTHON": "jupyter",
        "PYTHONPATH": "/opt/spark-2.4/python",
        "HADOOP_CONF_DIR": "/etc/hadoop",
        "JAVA_HOME": "/old",
    }
    assert inside.variables_for(folder, java.Java(Path("/jdk"), "17"), inherited) == {
        "PATH": f"{folder}/bin:/usr/bin",
        "HOME": "/home/me",
        "VIRTUAL_ENV": str(folder),
        "SPARK_HOME": str(package),
        "SPARK_LOCAL_DIRS": "/scratch",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": f"{folder}/bin/python",
        "JAVA_HOME": "/jdk",
    }


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project's folder whose generate_data.py is replaced: it makes what SUCCEEDS names."""
    (tmp_path / "data").mkdir()
    commands = []

    def generate(name, env):
        commands.append(name)
        if name in env["SUCCEEDS"].split():
            for file in data.FILES:
                (tmp_path / "data" / file).write_text("0\n", encoding="utf-8")
            (tmp_path / "data" / "dataset.json").write_text(json.dumps({"name": name}), encoding="utf-8")
        return name in env["SUCCEEDS"].split()

    monkeypatch.setattr(data, "generate", generate)
    return tmp_path / "data", commands


def test_data_that_is_there_is_used(project, capsys):
    folder, commands = project
    for file in data.FILES:
        (folder / file).write_text("1,2\n", encoding="utf-8")
    data.provide({}, folder)
    assert commands == []
    assert capsys.readouterr().out == "Data: unnamed data in data/\n"


def test_data_is_downloaded_else_drawn(project, capsys):
    folder, commands = project
    data.provide({"SUCCEEDS": "mnist synthetic"}, folder)
    assert commands == ["mnist"]
    for file in data.FILES:
        (folder / file).unlink()
    data.provide({"SUCCEEDS": "synthetic"}, folder)
    assert commands == ["mnist", "mnist", "synthetic"]
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last == [
        "Data: MNIST could not be downloaded (see above), going on with synthetic digits drawn here",
        "Data: synthetic in data/",
    ]


def test_no_data_at_all_is_one_line(project):
    folder, _ = project
    with pytest.raises(SetupError, match="no data could be prepared"):
        data.provide({"SUCCEEDS": ""}, folder)


SUMMARY = {
    "data": {"name": "mnist", "train": {"rows": 60000}, "test": {"rows": 10000}},
    "test": {"accuracy": 0.97419},
}


def test_summary_says_data_accuracy_results_and_command(tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    (tmp_path / "cost_history").mkdir()
    (tmp_path / "weights.png").write_bytes(b"")
    (tmp_path / "report.html").write_bytes(b"")
    assert summary.summary_lines(tmp_path, ["spark-submit", "main_task.py", "a b"], "/jdk 17") == [
        "data           mnist, 60,000 training and 10,000 test images",
        "test accuracy  97.42%",
        f"results        {tmp_path}/",
        "  numbers      summary.json",
        "  as text      cost_history",
        "  pictures     weights.png",
        f"report page    {tmp_path}/report.html (open it in a browser)",
        "by hand        PATH=\"$PWD/.venv/bin:$PATH\" JAVA_HOME='/jdk 17' spark-submit main_task.py 'a b'",
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"test": {}}', '{"test": {"accuracy": "high"}}'])
def test_a_malformed_summary_is_named(tmp_path, text):
    (tmp_path / "summary.json").write_text(text, encoding="utf-8")
    with pytest.raises(SetupError, match=r'summary\.json should have a number at \["test"\]\["accuracy"\]'):
        summary.summary_lines(tmp_path, [], "")


def test_a_missing_summary_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"summary\.json is missing"):
        summary.summary_lines(tmp_path, [], "")


@pytest.fixture
def make():
    """Runs make without doing anything, with the given variables in its environment."""
    program = shutil.which("make")
    if program is None:
        pytest.skip("make is not installed")

    def run(*words, **variables):
        command, env = [program, "-n", *words], {"PATH": os.environ["PATH"], **variables}
        return subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )

    return run


def test_make_hands_the_options_to_the_real_spark_submit(make):
    recipe = make("train", "TRAIN_OPTIONS=--hidden 8 --epochs 1", f"PYTHON={sys.executable}").stdout
    submit = [line for line in recipe.splitlines() if "tools.setup.inside .venv spark-submit" in line]
    assert len(submit) == 1
    assert submit[0].endswith("data/mnist_labels_test.csv output --overwrite --hidden 8 --epochs 1")


def test_make_hands_the_jvm_s_options_on_as_one_word_and_none_where_none_are_wanted(make):
    python = f"PYTHON={sys.executable}"
    two = make("train", python, "DRIVER_JAVA_OPTIONS=-Xint -XX:+UseSerialGC").stdout
    assert '--driver-java-options "-Xint -XX:+UseSerialGC" main_task.py' in two
    none = make("train", python, "DRIVER_JAVA_OPTIONS=").stdout
    assert "main_task.py" in none and "--driver-java-options" not in none


def test_make_without_any_python_says_so(make, tmp_path):
    (tmp_path / "sh").symlink_to("/bin/sh")
    error_text = make("train", PATH=str(tmp_path)).stderr
    assert "Python 3.10 or newer is needed and there is no python3 in PATH" in error_text


def test_make_alone_prints_help(make):
    recipe = make().stdout
    assert "make train" in recipe and "spark-submit --py-files" in recipe
