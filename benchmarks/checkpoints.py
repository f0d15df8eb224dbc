"""What checkpoints cost: the part of a run's training that is not spent in epochs, with checkpoints and without.

    python benchmarks/checkpoints.py data --seeds 3 -- --epochs 100

submits the real job with --checkpoint-every 0, with the default and with 1, and prints a line each: medians over the
seeds of the seconds in epochs, of those beside them (histories, checkpoints, the table), and how much more the latter
are than without checkpoints, in percent of the training. Options after -- go to main_task.py.
"""

from __future__ import annotations

import statistics

from job import arguments, submitted

WAYS = {"never": ["--checkpoint-every", "0"], "default": [], "each epoch": ["--checkpoint-every", "1"]}
COLUMNS = ("in epochs", "beside them", "cost")


def main() -> None:
    """Run all ways in turn, so that each meets the machine's good and bad hours, and print the table."""
    args, options = arguments("Time what checkpoints take.", seeds=3)
    shares: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for seed in range(args.seeds):
        for name, words in WAYS.items():
            job = submitted(args, [*options, *words, "--seed", str(seed)])
            training = job.summary["seconds"]["training"]
            shares[name].append((sum(job.epochs), training - sum(job.epochs)))
    print("checkpoints " + "".join(f"{name:>14}" for name in COLUMNS))
    medians = {name: tuple(map(statistics.median, zip(*runs, strict=True))) for name, runs in shares.items()}
    for name, (epochs, beside) in medians.items():
        cost = (beside - medians["never"][1]) / (epochs + beside)
        print(f"{name:<12}{epochs:>12.2f} s{beside:>12.3f} s{cost:>13.1%}")


if __name__ == "__main__":
    main()
