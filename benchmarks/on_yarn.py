"""Time the job on YARN and HDFS beside the same job on local[2], and what the difference is made of.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/on_yarn.py data FOLDER [--repeats 3] [-- OPTIONS]

starts HDFS and YARN on this machine as `make test-clusters` does, in FOLDER, which must be empty, and submits MNIST
with two partitions to each place in turn. Prints medians: seconds from submit to end, those before the program reads
and after it has written, of reading, of training, and of training the phases that history.csv has. Options after -- go
to main_task.py. On one machine nothing crosses a network; the daemons take some of its two cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from job import FILES

from tests.clusters import jobs
from tests.clusters.hadoop import Hadoop, hadoop

MEMORY = {"spark.driver.memory": "1g", "spark.executor.memory": "1g", "spark.yarn.am.memory": "1g"}
COMMON = ("--partitions", "2")
OPTIONS = (
    *("--hidden", "64", "--activation", "relu", "--loss", "cross-entropy", "--average", "parameters"),
    *("--optimizer", "momentum", "--epochs", "20"),
)
PHASES = ("schedule", "read", "compute")
COLUMNS = ("submit to end", "before and after", "reading", "training", *PHASES)


def main() -> None:
    """Run each place in turn, print the medians."""
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description="Time the job on YARN beside local Spark.")
    parser.add_argument("data", type=Path, help="folder with the CSV files of generate_data.py")
    parser.add_argument("folder", type=Path, help="an empty folder for the daemons")
    parser.add_argument("--repeats", type=int, default=3, help="(default 3)")
    args = parser.parse_args(words[:at])
    options = (*COMMON, *(words[at + 1 :] or OPTIONS))
    args.folder.mkdir(parents=True, exist_ok=True)
    with hadoop(args.folder.resolve() / "daemons") as cluster:
        places = places_of(cluster, args.data.resolve(), args.folder.resolve())
        found: dict[str, list[list[float]]] = {name: [] for name in places}
        for number in range(args.repeats):
            for name, run in places.items():
                found[name].append(run(number, options))
                print(f"{name} {number}: {found[name][-1][0]:.1f} s", file=sys.stderr, flush=True)
    print("| place | " + " | ".join(COLUMNS) + " |\n|---" + "|--:" * len(COLUMNS) + "|")
    for name, values in found.items():
        middle = [statistics.median(column) for column in zip(*values, strict=True)]
        print(f"| {name} | " + " | ".join(f"{value:.1f} s" for value in middle) + " |")


def places_of(cluster: Hadoop, data: Path, folder: Path) -> dict[str, Callable[[int, tuple], list[float]]]:
    """Return what runs the job once in each place: (number, options) -> seconds as in COLUMNS."""
    here = [data / name for name in FILES]
    there = [cluster.put(f"in/{path.name}", path.read_bytes()) for path in here]
    local = jobs.LOCAL.with_settings(MEMORY)
    on_hdfs = jobs.Place("local[2]", local.settings, env={"HADOOP_CONF_DIR": str(cluster.conf)})
    client, inside = (
        jobs.on_yarn(cluster, mode, folder).with_settings(MEMORY) for mode in ("client", "cluster")
    )
    for place in (client, inside):  # words come before settings
        place.words = ["1g" if word == "512m" else word for word in place.words]

    def on(name: str, place: jobs.Place, inputs: list, is_here: bool) -> Callable[[int, tuple], list[float]]:
        def run(number: int, options: tuple) -> list[float]:
            out = f"out-{name}-{number}"
            target = folder / out if is_here else f"{cluster.url}/{out}"
            began = time.perf_counter()
            done = place.run(folder, *inputs, target, *options)
            seconds = time.perf_counter() - began
            content = (
                (folder / out / "summary.json").read_bytes()
                if is_here
                else cluster.get(f"{out}/summary.json")
            )
            if done.returncode or content is None:
                sys.exit(done.stdout[-3000:])
            return columns(seconds, json.loads(content)["seconds"])

        return run

    return {
        "local[2], files of the machine": on("local", local, here, True),
        "local[2], HDFS": on("hdfs", on_hdfs, there, False),
        "YARN in client mode, HDFS": on("client", client, there, False),
        "YARN in cluster mode, HDFS": on("cluster", inside, there, False),
    }


def columns(seconds: float, measured: dict[str, Any]) -> list[float]:
    """Return a run's seconds as in COLUMNS."""
    phases = [measured["training_phases"][phase] for phase in PHASES]
    return [seconds, seconds - measured["total"], measured["reading"], measured["training"], *phases]


if __name__ == "__main__":
    main()
