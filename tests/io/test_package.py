"""The zip for --py-files: what the job imports and the recipes, the same bytes each time."""

import subprocess
import sys
import zipfile
from pathlib import Path

from nn.io import package
from nn.plotting.report.page import SCRIPTS
from tests.support import ROOT
from tests.test_imports import imports_of


def names_in(path):
    return zipfile.ZipFile(path).namelist()


JOBS = ("main_task.py", "predict_task.py")
PLOTS = ("generate_plots.py",)


def imported_by(*programs):
    """The files of nn that programs and users of nn and nn.ml import, and those that they import."""
    reached, waiting = set(), [*map(Path, programs), Path("nn/__init__.py"), Path("nn/ml/__init__.py")]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for parts in imports_of(path):
            if parts[0] == "nn":
                folders = [Path(*parts[:length]) for length in range(1, len(parts) + 1)]
                files = [file for path in folders for file in (path.with_suffix(".py"), path / "__init__.py")]
                waiting += [file for file in files if (ROOT / file).is_file()]
    return {path.as_posix() for path in reached} - set(programs)


def test_zip_holds_what_the_programs_import_and_the_recipes(tmp_path):
    package.write_zip(tmp_path / "nn.zip")
    recipes = {f"nn/recipes/{path.name}" for path in (ROOT / "recipes").iterdir()}
    page = {f"nn/plotting/report/{name}" for name in (*SCRIPTS, "page.css", "page.html")}
    assert recipes and set(names_in(tmp_path / "nn.zip")) == imported_by(*JOBS, *PLOTS) | recipes | page


def test_zip_is_the_same_each_time(tmp_path):
    package.write_zip(tmp_path / "a.zip")
    package.write_zip(tmp_path / "deeper" / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "deeper" / "b.zip").read_bytes()
    assert names_in(tmp_path / "a.zip") == sorted(names_in(tmp_path / "a.zip"))


def test_zip_that_a_job_sends_to_executors_holds_code_alone():
    assert set(names_in(package.temporary_zip())) == imported_by(*JOBS)


def test_installed_package_brings_its_own_recipes(tmp_path, monkeypatch):
    for folder, name in (("nn/recipes", "mlp.json"), ("recipes", "of_another_project.json")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text("{}")
    monkeypatch.setattr(package, "_ROOT", tmp_path / "nn")
    package.write_zip(tmp_path / "nn.zip")
    assert names_in(tmp_path / "nn.zip") == ["nn/recipes/mlp.json"]


def test_zip_can_be_imported_without_pyspark(tmp_path):
    package.write_zip(tmp_path / "nn.zip")
    code = (
        "import sys; sys.modules['pyspark'] = None; sys.modules['matplotlib'] = None\n"
        f"sys.path.insert(0, {str(tmp_path / 'nn.zip')!r})\n"
        "import nn.training.local; from nn.io import package\n"
        "print(nn.__file__, package.own_zip(), package.is_zipped())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1:] == [str(tmp_path / "nn.zip"), "True"]


def test_package_is_not_zipped_in_a_checkout():
    assert not package.is_zipped()
