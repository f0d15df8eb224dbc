"""Predict rows with a trained network on Spark: read -> predict -> write, and score where there are labels.

spark-submit predict_task.py MODEL INPUT OUTPUT [options]

Every Python parses this file, so that one that is too old can say so: it has no annotations and no f-strings.
"""

import sys


def unsuitable():
    """Return why this Python cannot run the job, before anything of it is imported; None where it can."""
    if sys.version_info < (3, 10):
        return "needs Python 3.10 or newer, this is %d.%d" % sys.version_info[:2]
    from importlib import machinery, util

    package = "add --py-files nn.zip, which `make package` builds"
    spec = util.find_spec("nn")
    if spec is None:
        return "no Python module named nn here; " + package
    folders = list(spec.submodule_search_locations or [])
    if machinery.PathFinder.find_spec("nn.cli", folders) is None:
        path = folders[0] if folders else spec.origin
        hint = "put this project's nn/ beside predict_task.py, or " + package
        return "the nn found at %s is another package; %s" % (path, hint)
    if util.find_spec("numpy") is None:
        return "no Python module named numpy here; install it with: %s -m pip install numpy" % sys.executable
    return None


reason = unsuitable()
if reason:
    if sys.stderr:
        sys.stderr.write("predict_task.py: error: %s\n" % reason)
    sys.exit(4)

from nn.cli import console, entry, predict, predict_check, predict_dry_run
from nn.cli.predict_options import parse
from nn.spark.runtime.cluster import wait_for_executors
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage


def main(options):
    """Print the plan, check the cluster or predict, as the options ask."""
    if options.dry_run:
        console.print_line(predict_dry_run.lines(options))
        return
    with spark_context("neural network predictions", options.debug) as context:
        wait_for_executors(context, console.print_line)
        (predict_check if options.check else predict).run(context, Storage(context), options)


if __name__ == "__main__":
    sys.exit(entry.run("predict_task.py", parse, main))
