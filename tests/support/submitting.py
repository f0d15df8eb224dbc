"""Run programs through spark-submit as a user types it."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pyspark

import main_task
from nn.cli import parser, predict_options
from nn.cli.predict import run as predict_run
from nn.cli.resume import start
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from tests.support import ROOT, java_classes
from tests.support.data import blobs

MAIN = ROOT / "main_task.py"
BIN = Path(sys.executable).parent
MASTER = "local[2]"
NONE: dict[str, str] = {}
QUICK = ["--conf", "spark.ui.enabled=false", "--driver-memory", "1g"]
QUICK += ["--conf", f"spark.executor.extraJavaOptions={java_classes.OPTIONS}"]


def environment():
    """That of a user's shell, without what the tests' own Spark has set."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("PYSPARK", "SPARK"))}
    # Spark's own search for its home breaks on a path with a space.
    home = str(Path(pyspark.__file__).parent)
    path = f"{BIN}{os.pathsep}{variables['PATH']}"
    ours = {"PATH": path, "PYSPARK_PYTHON": sys.executable, "SPARK_HOME": home}
    return {**variables, **ours, "SPARK_SUBMIT_OPTS": java_classes.OPTIONS}


def command(script, *words, conf=(), master=MASTER):
    """The words of a command line."""
    return [str(BIN / "spark-submit"), "--master", master, *QUICK, *conf, str(script), *map(str, words)]


def submit(script, *words, cwd, conf=(), master=MASTER, timeout=300, prefix=(), env=NONE):
    """Run to the end: exit code and all that a user sees. `prefix` is a program that runs the rest."""
    # Spark mixes its program's stderr into stdout; one stream is what a user sees.
    return subprocess.run(
        [*prefix, *command(script, *words, conf=conf, master=master)],
        cwd=cwd,
        env={**environment(), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def job(spark, *words):
    """Run the job of a command line in the tests' Spark, whose Java half has a working folder of its own.

    Paths are absolute therefore. A JVM of its own would take most of the time that a small job takes.
    """
    options = parser.parse(list(map(str, words)))
    storage = Storage(spark)
    output = Output(storage.folder(options.output))
    checkpoints = Checkpoints(output.folder, options.keep_checkpoints)
    main_task.run_job(spark, storage, output, checkpoints, start(options, output, checkpoints))


def predict(spark, *words):
    """Run predict_task.py of a command line in the tests' Spark, as `job` does."""
    predict_run(spark, Storage(spark), predict_options.parse(list(map(str, words))))


BEGUN: list[subprocess.Popen] = []


def end_all():
    """Kill what `begin` started and a test that failed left running."""
    for process in BEGUN:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    BEGUN.clear()


def begin(script, *words, cwd, conf=(), master=MASTER):
    """Start spark-submit as `begin_command` does."""
    return begin_command(command(script, *words, conf=conf, master=master), cwd)


def begin_command(words, cwd):
    """Start in a process group of its own, whose output goes to `cwd`/console.txt; `end_all` kills it."""
    with open(Path(cwd) / "console.txt", "wb") as console:
        process = subprocess.Popen(
            list(map(str, words)),
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    BEGUN.append(process)
    return process


# What a shell does: it outlives its program, and so the program's group is not hung up with it.
SHELL = ["sh", "-c", 'trap : INT; "$@"; code=$?; sleep 3; exit $code', "sh"]


def begin_on_terminal(words, cwd):
    """Start main_task.py from a shell on a terminal of its own: (the shell's process, the terminal's other end)."""
    terminal, its_side = os.openpty()

    def take_terminal():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*SHELL, *command(MAIN, *words)],
        cwd=cwd,
        env=environment(),
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(its_side)
    return process, terminal


def shown_until(terminal, mark=None):
    """What the terminal shows, until it shows the mark or is closed."""
    shown = b""
    while mark is None or mark not in shown:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # what Linux gives when the other end is closed
            break
        if not piece:
            break
        shown += piece
    return shown.decode(errors="replace")


def python_under(process):
    """The process of the Python program that a spark-submit runs."""
    result = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "main_task.py"], capture_output=True, text=True
    )
    return int(result.stdout.split()[0])


def write_text_set(folder):
    """An easy set of 9-pixel images in the original's format: floats, blanks, one-hot labels. Their four paths."""
    for name, rows, seed in (("train", 400, 1), ("test", 100, 2)):
        inputs, labels = blobs(rows, width=9, seed=seed)
        np.savetxt(folder / f"images_{name}.csv", inputs / 255)
        np.savetxt(folder / f"labels_{name}.csv", np.eye(3)[labels])
    return [folder / f"{kind}_{name}.csv" for name in ("train", "test") for kind in ("images", "labels")]
