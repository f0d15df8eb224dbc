"""Train a neural network on Spark: options -> read -> loop -> score -> write.

spark-submit main_task.py TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS OUTPUT [options]

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
        hint = "put this project's nn/ beside main_task.py, or " + package
        return "the nn found at %s is another package; %s" % (path, hint)
    if util.find_spec("numpy") is None:
        return "no Python module named numpy here; install it with: %s -m pip install numpy" % sys.executable
    return None


reason = unsuitable()
if reason:
    if sys.stderr:
        sys.stderr.write("main_task.py: error: %s\n" % reason)
    sys.exit(4)

from nn.cli import check, console, describe, dry_run, entry, ownership, parser, report, resume
from nn.cli.run import Outcome, read
from nn.core import format
from nn.io import results
from nn.io.model_card import model_card
from nn.models import model_file
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.cluster import wait_for_executors
from nn.spark.runtime.session import shows_on_terminal, spark_context
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from nn.training import evaluation


def main(options):
    """Print the plan or the columns, check the cluster or run the job, as the options ask."""
    for note in options.notes:
        console.print_line(format.note(note))
    if options.dry_run:
        console.print_line(dry_run.lines(options))
        return
    with spark_context("neural network training", options.debug) as context:
        storage = Storage(context)
        if options.describe:
            describe.run(context, storage, options)
            return
        output = Output(storage.folder(options.output))
        with ownership.claimed(context, options, output, console.print_line):
            checkpoints = Checkpoints(output.folder, options.keep_checkpoints)
            start = resume.start(options, output, checkpoints)
            if start.is_finished:
                console.print_line(start.lines())
            elif options.check:
                check.run(context, storage, output, start)
            else:
                run_job(context, storage, output, checkpoints, start)


def run_job(context, storage, output, checkpoints, start):
    """Train and score a network, from the first file that is read to the last that is written."""
    clock = report.Clock()
    executors = wait_for_executors(context, console.print_line)
    options = start.options.for_cluster(context.defaultParallelism)
    console.print_line(report.spark_line(context, executors, options, output.folder))
    run = read(context, storage, options)
    console.print_line(report.data_lines(run, clock.lap("reading")))
    progress = start.progress(run.options, run.fingerprints, run.training)
    console.print_line(report.plan_lines(run.training, run.backend) + start.lines())
    table = console.Table(
        run.training.plan,
        live=shows_on_terminal(context),
        done=start.epoch,
        has_accuracy=not run.options.recipe.is_regression,
    )
    resume.prepare_output(start, run.options, output, checkpoints)
    with resume.recording(start, run, output, checkpoints) as record:
        progress = train(run, progress, table, record)
        clock.lap("training")
        outcome = score(run, progress)
        clock.lap("scoring")
        write(run, outcome, output, report.summary(run, outcome, clock, start.epoch))
    console.print_line(report.summary_lines(run, outcome, clock, output.folder.is_local))


def train(run, progress, table, record):
    """Train to the last epoch; record and show each. Return the progress after it.

    An epoch is made of jobs (nn/training/loop.py). A job is a chain of maps over the rows (nn/training/chain.py) and a
    reduce, which adds their sums (nn/spark/aggregate.py).
    """
    epochs = run.training.epochs(console.ProgressBackend(run.backend, table), progress)
    for progress in table.watch(epochs):
        record(progress)
    record.finish()
    return progress


def score(run, progress):
    """Score the trained network on the test set, if there is one."""
    params = run.training.final_params(progress)
    if run.test is None:
        return Outcome(progress, params, None)
    run.context.setJobDescription("scoring TEST_IMAGES")
    handle = broadcast(run.context, params)
    test_score = evaluation.evaluate(run.test.blocks, run.training.model, handle, run.test.rows)
    handle.destroy()
    return Outcome(progress, params, test_score)


def write(run, outcome, output, summary):
    """Write the scores, the model, the summary, and _SUCCESS last."""
    model = run.training.model
    score_files, about = {}, {"data": run.names}
    if outcome.score is not None:
        score_files = results.score_files(outcome.score, model.decoder, model.encoder)
        about.update(outcome.score.about)
    content = model_file.to_bytes(model, outcome.params, about)
    output.write_results(score_files, summary, content, model_card(summary, model))


if __name__ == "__main__":
    sys.exit(entry.run("main_task.py", parser.parse, main))
