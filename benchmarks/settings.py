"""Measure each setting alone, on and off: benchmarks/step.py and a whole job under one after the other, in turns.

    python benchmarks/settings.py data --repeats 3

adds its repeats to those saved before and prints a Markdown table: milliseconds of each part, medians over the repeats,
and in brackets their ratio to the job as it is, the median of the ratios within each repeat. The whole job is the one
of `make train`, from submit to its last file. What pays is in nn/spark/runtime/session.py, and what only the start of a
JVM can set in the Makefile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

SAVED = str(Path(__file__).with_name("results") / "settings.json")
STEP, JOB_RUN = (str(Path(__file__).with_name(name)) for name in ("step.py", "job.py"))
MALLOC = (
    "MALLOC_MMAP_THRESHOLD_=1073741824",
    "MALLOC_TRIM_THRESHOLD_=2147483648",
    "MALLOC_TOP_PAD_=67108864",
)
Repeat = dict[str, dict[str, float]]  # setting -> part -> milliseconds
JAVA = "spark.driver.extraJavaOptions"
JOB = "--hidden 128 --activation relu --loss cross-entropy --optimizer momentum --average parameters --epochs 10"
SETTINGS: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "TCP instead of Unix-domain sockets": ("spark.python.unix.domain.socket.enabled=false",),
    "cached blocks uncompressed": ("spark.rdd.compress=false",),
    "broadcasts uncompressed": ("spark.broadcast.compress=false",),
    "two BLAS threads a task": (
        "spark.executorEnv.OPENBLAS_NUM_THREADS=2",
        "spark.executorEnv.OMP_NUM_THREADS=2",
    ),
    "sums over 1 MB fetched by the driver": ("spark.task.maxDirectResultSize=1m",),
    "workers not reused": ("spark.python.worker.reuse=false",),
    "no wait for locality": ("spark.locality.wait=0",),
    "no web page": ("spark.ui.enabled=false",),
    "parallel garbage collector": (f"{JAVA}=-XX:+UseParallelGC",),
    "serial garbage collector": (f"{JAVA}=-XX:+UseSerialGC",),
    "the JVM's quick compiler alone": (f"{JAVA}=-XX:TieredStopAtLevel=1",),
    "that collector and that compiler": (f"{JAVA}=-XX:+UseSerialGC -XX:TieredStopAtLevel=1",),
    "larger buffers": ("spark.buffer.size=1048576",),
    "glibc keeps its memory": tuple(f"spark.executorEnv.{each}" for each in MALLOC),
}
# What nn/spark/runtime/workers.py does once in each worker, left out; the whole job cannot leave it out.
WITHOUT = {
    "collecting garbage in full after each task": "freeze_gc",
    "reading archives' directories before each task": "cache_zip_directories",
    "acknowledging when the kernel likes to": "quick_ack",
}


def main() -> None:
    """Run all settings in turns, saving after each; print the table."""
    args = arguments()
    saved = Path(args.output)
    repeats: list[Repeat] = json.loads(saved.read_text()) if saved.exists() else []
    for repeat in range(0 if args.render else args.repeats):
        repeats.append({})
        for name in ["as it is", *args.only]:
            repeats[-1][name] = run(args.data, name)
            saved.write_text(json.dumps(repeats, indent=1) + "\n")
            print(f"{repeat + 1}/{args.repeats} {name}", file=sys.stderr, flush=True)
    print(table(repeats))


def arguments() -> argparse.Namespace:
    """The command line."""
    known = [name for name in (*SETTINGS, *WITHOUT) if name != "as it is"]
    parser = argparse.ArgumentParser(description="Time a step's parts under one setting after the other.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--repeats", type=int, default=3, help="beside those saved before (default 3)")
    parser.add_argument(
        "--only", help=f"settings, separated by semicolons (default: all): {'; '.join(known)}"
    )
    parser.add_argument("--output", default=SAVED, help="where repeats are saved (default %(default)s)")
    parser.add_argument("--render", action="store_true", help="measure nothing: print what was saved")
    args = parser.parse_args()
    args.only = args.only.split(";") if args.only else known
    for name in args.only:
        if name not in known:
            parser.error(f"--only: no setting is called {name!r}")
    return args


def table(repeats: list[Repeat]) -> str:
    """A Markdown table of settings and parts."""
    parts = list(repeats[0]["as it is"])
    lines = ["| | " + " | ".join(parts) + " |", "|---" * (len(parts) + 1) + "|"]
    for name in (*SETTINGS, *WITHOUT):
        of_both = [(repeat[name], repeat["as it is"]) for repeat in repeats if name in repeat]
        if of_both:
            lines.append(f"| {name} | " + " | ".join(cell(part, of_both) for part in parts) + " |")
    return "\n".join(lines)


def cell(part: str, of_both: list[tuple[dict[str, float], dict[str, float]]]) -> str:
    """A part's median and its ratio, from what it took under a setting and as it is in each repeat."""
    if part not in of_both[0][0]:
        return "–"
    ratio = statistics.median(one[part] / other[part] for one, other in of_both)
    return f"{statistics.median(one[part] for one, _ in of_both):.0f} ms ({ratio:.2f}x)"


def run(data: str, name: str) -> dict[str, float]:
    """Milliseconds of each part in a Spark of its own; no whole job without what a worker does."""
    words = [f"--conf={setting}" for setting in SETTINGS.get(name, ())]
    left_out = [f"--without={WITHOUT[name]}"] if name in WITHOUT else []
    free = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"}
    milliseconds = json.loads(output_of([sys.executable, STEP, data, "--json", *words, *left_out], free)[-1])
    if not left_out:
        last = output_of([sys.executable, JOB_RUN, data, "--seeds=1", *words, "--", *JOB.split()], free)[-1]
        milliseconds["the whole job"] = 1000 * float(last.split()[-2])
    return milliseconds


def output_of(command: list[str], environment: dict[str, str]) -> list[str]:
    """The lines that a command prints; ends the program where it fails."""
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
