"""How the programs start: too old a Python, packages that are missing or another's, and streams that are closed."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import ROOT

PROGRAMS = ("main_task.py", "predict_task.py", "generate_data.py", "generate_plots.py")
OLD = ("2.7", "3.6", "3.7", "3.8", "3.9")
FOUND = [shutil.which(f"python{version}") for version in OLD]
FOUND += [
    str(path) for version in OLD for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
]
OLD_PYTHONS = [
    path for path in FOUND if path and "shims" not in path
]  # pyenv's shims run no Python by themselves
# What old Pythons, 2.7 among them, do not parse.
NEW_SYNTAX = (
    ast.JoinedStr,
    ast.AnnAssign,
    ast.NamedExpr,
    ast.Match,
    ast.Nonlocal,
    ast.Starred,
    ast.AsyncFunctionDef,
)


def python(*words, cwd=ROOT, prefix="", **more):
    """Run this Python, from a shell where a `prefix` of redirections is given."""
    command = [sys.executable, *map(str, words)]
    if prefix:
        command = ["sh", "-c", f'exec "$@" {prefix}', "sh", *command]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60, **more)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_python_parses_what_looks_at_its_version(program):
    source = (ROOT / program).read_bytes()
    assert source.isascii()  # Python 2.7 reads no other text without being told its encoding
    tree = ast.parse(source, feature_version=(3, 4))
    for node in ast.walk(tree):
        assert not isinstance(node, NEW_SYNTAX), f"line {node.lineno}: not for old Pythons"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            notes = [node.returns, *(each.annotation for each in arguments if each)]
            assert not any(notes), f"line {node.lineno}: Python 2.7 knows no annotations"
            assert not node.args.kwonlyargs, f"line {node.lineno}: Python 2.7 has no keyword-only ones"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_python_that_is_too_old_is_told_in_one_line(program, tmp_path):
    pretend = "import runpy, sys; sys.version_info = (3, 9, 18, 'final', 0); sys.path.insert(0, sys.argv[1])"
    run = f"{pretend}; runpy.run_path(sys.argv[1] + '/{program}', run_name='__main__')"
    line = f"{program}: error: needs Python 3.10 or newer, this is 3.9\n"
    done = python("-c", run, ROOT, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (4, "", line)
    done = python("-c", run, ROOT, cwd=tmp_path, prefix="2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")


@pytest.mark.skipif(not OLD_PYTHONS, reason="no Python older than 3.10 on this machine")
@pytest.mark.parametrize("old", OLD_PYTHONS)
def test_old_pythons_say_so_themselves(old):
    version = subprocess.run(
        [old, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True
    )
    for program in PROGRAMS:
        done = subprocess.run([old, "-B", program, "--help"], capture_output=True, text=True, cwd=ROOT)
        line = f"{program}: error: needs Python 3.10 or newer, this is {version.stdout.decode()}"
        assert (done.returncode, done.stdout, done.stderr) == (4, "", line)


@pytest.fixture
def copied(tmp_path):
    """A folder with main_task.py alone, as a launcher copies it."""
    shutil.copy(ROOT / "main_task.py", tmp_path)
    return tmp_path


def error_of(done):
    """The line of main_task.py that ended with a fault of the environment."""
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line.removeprefix("main_task.py: error: ")


def test_without_the_package_nn_the_line_says_how_to_add_it(copied):
    line = error_of(python("main_task.py", "--help", cwd=copied))
    assert line == "no Python module named nn here; add --py-files nn.zip, which `make package` builds"


@pytest.mark.parametrize(
    ("program", "more"), [("generate_data.py", ""), ("generate_plots.py", ", or set PYTHONPATH=nn.zip")]
)
@pytest.mark.parametrize("other", [False, True])
def test_a_local_program_without_the_package_nn_says_so_in_one_line(tmp_path, program, more, other):
    shutil.copy(ROOT / program, tmp_path)
    if other:
        (tmp_path / "nn.py").touch()
    done = python(program, "--help", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        f"{program}: error: no Python module named {'nn.core' if other else 'nn'} here; "
        f"put this project's nn/ beside {program}{more}\n"
    )


@pytest.mark.parametrize("kind", ["package", "folder", "file"])
def test_another_package_of_the_name_nn_is_named_and_never_run(copied, kind):
    module = copied / "other" / ("nn.py" if kind == "file" else "nn")
    module.parent.mkdir()
    if kind == "file":
        module.write_text("1 / 0")
    else:
        module.mkdir()
        (module / ("__init__.py" if kind == "package" else "x.txt")).write_text("1 / 0")
    env = {**os.environ, "PYTHONPATH": str(copied / "other")}
    line = error_of(python("main_task.py", "--help", cwd=copied, env=env))
    assert line == (
        f"the nn found at {module} is another package; put this project's nn/ beside main_task.py, "
        "or add --py-files nn.zip, which `make package` builds"
    )


def test_without_numpy_the_line_says_how_to_install_it():
    code = (
        "import runpy, sys; sys.modules['numpy'] = None; runpy.run_path('main_task.py', run_name='__main__')"
    )
    line = error_of(python("-c", f"import sys; sys.path.insert(0, ''); {code}"))
    assert (
        line == f"no Python module named numpy here; install it with: {sys.executable} -m pip install numpy"
    )


def test_a_zip_of_nn_is_known_for_ours(copied):
    from nn.io import package

    package.write_zip(copied / "nn.zip")
    env = {**os.environ, "PYTHONPATH": str(copied / "nn.zip")}
    assert python("main_task.py", "--version", cwd=copied, env=env).returncode == 0


def test_what_needs_no_spark_works_without_pyspark(tmp_path):
    (tmp_path / "x.csv").write_text("1,2,0\n3,4,1\n")
    code = "import runpy, sys; sys.modules['pyspark'] = None; sys.path.insert(0, sys.argv.pop(1)); "
    code += f"runpy.run_path({str(ROOT / 'main_task.py')!r}, run_name='__main__')"
    plan = ["x.csv", "-", "x.csv", "-", "out", "--label-column", "-1"]
    for words in (["--help"], ["--words"], ["--version"], [*plan, "--dry-run"]):
        assert python("-c", code, ROOT, *words, cwd=tmp_path).returncode == 0
    line = error_of(python("-c", code, ROOT, *plan, cwd=tmp_path))
    assert (
        line
        == f"no Python module named pyspark here; install it with: {sys.executable} -m pip install pyspark"
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_stop_a_program_and_no_file_takes_their_place(tmp_path, closed):
    words = ["--dataset", "synthetic", "--train-rows", "20", "--test-rows", "20", "--output", tmp_path]
    done = python(ROOT / "generate_data.py", *words, prefix=closed)
    assert done.returncode == 0, done.stderr
    for part in ("train", "test"):
        rows = (tmp_path / f"mnist_labels_{part}.csv").read_text().splitlines()
        assert len(rows) == 20 and set(rows) <= set("0123456789")
    assert python(ROOT / "generate_plots.py", "--help", prefix=closed).returncode == 0
    assert python(ROOT / "main_task.py", "--words", prefix=closed).returncode == 0


def test_a_closed_stream_becomes_one_that_takes_all(tmp_path):
    code = "import os, sys; from nn.core import streams; streams.open_missing(); "
    code += "files = [open('a', 'w'), open('b', 'w')]; print('lost'); sys.stderr.write('x'); "
    code += "sys.exit(any(file.fileno() < 3 for file in files) or os.system('test -w /dev/fd/1 -a -w /dev/fd/2') != 0)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert python("-c", code, cwd=tmp_path, env=env, prefix=">&- 2>&-").returncode == 0
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == ""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_program_that_nohup_started_outlives_its_terminal(tmp_path):
    words = [
        ROOT / "generate_data.py",
        "--dataset",
        "synthetic",
        "--train-rows",
        "3000",
        "--output",
        tmp_path,
    ]
    process = subprocess.Popen(
        ["nohup", sys.executable, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 30
    while not list(tmp_path.iterdir()) and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0 and (tmp_path / "dataset.json").exists()
