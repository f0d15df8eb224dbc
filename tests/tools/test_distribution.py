"""The folder that `make package` writes holds all that its README names, and works away from the project."""

import re
import subprocess
import sys

from tests.support import ROOT
from tools.setup import distribution


def test_the_folder_holds_what_its_readme_names(tmp_path):
    paths = {path.relative_to(tmp_path).as_posix() for path in distribution.write(tmp_path)}
    table = re.findall(r"^\| ([^|]*) \|", (tmp_path / "README.md").read_text(), re.MULTILINE)[1:]
    named = {name for cell in table for name in cell.split(", ")}
    assert paths - {"README.md"} == {name for name in paths if name in named or name.startswith("recipes/")}
    assert named - {"recipes/*.json"} <= paths
    assert {path.name for path in (ROOT / "recipes").glob("*.json")} == {
        name.removeprefix("recipes/") for name in paths if name.startswith("recipes/")
    }


def test_the_programs_run_away_from_the_project(tmp_path):
    distribution.write(tmp_path)
    for program in ("main_task.py", "predict_task.py", "generate_plots.py"):
        done = subprocess.run(
            [sys.executable, program, "--help"],
            cwd=tmp_path,
            env={"PYTHONPATH": "nn.zip", "PATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and f"{program} " in done.stdout, done.stderr


def test_the_report_page_is_written_away_from_the_project(tmp_path):
    distribution.write(tmp_path)
    run = ROOT / "docs" / "local_test" / "OUTPUT"
    done = subprocess.run(
        [sys.executable, "generate_plots.py", str(run), "--html", "--output", "report.html"],
        cwd=tmp_path,
        env={"PYTHONPATH": "nn.zip", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "report.html\n", "")
    assert "</html>" in (tmp_path / "report.html").read_text()


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "mine").write_text("kept")
    distribution.main([str(tmp_path)])
    distribution.main([str(tmp_path)])
    assert (tmp_path / "mine").read_text() == "kept"
