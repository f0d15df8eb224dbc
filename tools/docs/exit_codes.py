"""The page of exit codes, from the errors that have them."""

from __future__ import annotations

import signal

from nn.cli.failure import ENDED, KINDS, UNEXPECTED
from nn.core import errors
from nn.core.signals import BY_SIGNAL
from tools.docs.markdown import code, page, table

CODES = {
    0: ("done, or nothing to do", "all results and `_SUCCESS`"),
    errors.UsageError.exit_code: (
        "options that are wrong, or differ from those of the run in OUTPUT; an OUTPUT that is not empty, or that "
        "another run writes to",
        "OUTPUT as it was",
    ),
    errors.DataError.exit_code: (
        "data that are missing or malformed, or not the data of the run that is resumed",
        "OUTPUT as it was",
    ),
    errors.PlatformError.exit_code: (
        "a machine or cluster that cannot run the job, a full disk, a checkpoint that cannot be read just now, an "
        "OUTPUT that another run took over",
        "histories and the last checkpoint, as far as they could be written",
    ),
    errors.DivergenceError.exit_code: (
        "the cost, a gradient or a weight was no finite number (main_task.py alone)",
        "histories, and the last epoch with finite numbers as a checkpoint",
    ),
    BY_SIGNAL + signal.SIGHUP: (
        "the terminal was closed: SIGHUP, unless `nohup` ignores it",
        "the same as for 130",
    ),
    BY_SIGNAL + signal.SIGINT: (
        "Ctrl-C",
        "histories, and the last epoch as a checkpoint; on a file system other than the driver's disk only if Spark "
        "still runs",
    ),
    BY_SIGNAL + signal.SIGTERM: (
        "SIGTERM, what cluster managers send before they kill",
        "the same as for 130",
    ),
    UNEXPECTED: ("none of these; `--debug` shows all of it", "histories and checkpoints written so far"),
}

SIGNALS = {
    signal.SIGHUP: errors.HungUp,
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: errors.Terminated,
}


def page_of_codes() -> str:
    """Return the page."""
    kinds = KINDS | {BY_SIGNAL + number: ENDED[error] for number, error in SIGNALS.items()}
    rows = [[code(number), kinds.get(number, ""), what, left] for number, (what, left) in CODES.items()]
    return page(
        "Exit codes",
        "Of `main_task.py` and `predict_task.py`. What each message means, and what to do: "
        "[troubleshooting.md](../troubleshooting.md).",
        table(("code", "kind", "what happened", "what is left in OUTPUT"), rows),
        "An error that ends a run which may write to OUTPUT is in `OUTPUT/_ERROR.json` too, with `code`, `kind` and "
        "`message` ([operations.md](../operations.md#exit-codes)).",
        "`predict_task.py` leaves no histories and no checkpoints: without `_SUCCESS` its OUTPUT is not complete. "
        "Where outputs are not finite (3), it leaves predictions without `_SUCCESS`. "
        "`generate_data.py` and `generate_plots.py` use 0, 2 (usage), 3 (a bad or missing file), 4 (network, disk, a "
        "missing package, a picture that cannot be written), 129, 130 and 143.",
        "These are the codes of `python main_task.py` and of spark-submit in client mode, which is its default. With "
        "`--deploy-mode cluster` the driver runs on the cluster: spark-submit ends with a code of its own, and the "
        "manager has the driver's in its logs ([where the log is](../troubleshooting.md#where-the-log-is)).",
    )
