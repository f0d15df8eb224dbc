"""Train a neural network on Spark: options -> read -> loop -> score -> write.

spark-submit main_task.py TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS OUTPUT [options]

Every Python parses this file, so that one that is too old can say so: it has no annotations and no f-strings.
"""

import sys


def unfit():
    """Return why this Python cannot run the job, before anything of it is imported; None where it can."""
    if sys.version_info < (3, 10):
        return "needs Python 3.10 or newer, this is %d.%d" % sys.version_info[:2]
    from importlib import machinery, util

    package = "add --py-files nn.zip, which `make package` builds"
    found = util.find_spec("nn")
    if found is None:
        return "no Python module named nn here; " + package
    places = list(found.submodule_search_locations or [])
    if machinery.PathFinder.find_spec("nn.cli", places) is None:
        place = places[0] if places else found.origin
        cure = "put this project's nn/ beside main_task.py, or " + package
        return "the nn found at %s is another package; %s" % (place, cure)
    if util.find_spec("numpy") is None:
        return "no Python module named numpy here; install it with: %s -m pip install numpy" % sys.executable
    return None


reason = unfit()
if reason:
    if sys.stderr:
        sys.stderr.write("main_task.py: error: %s\n" % reason)
    sys.exit(4)

from nn.cli import check, console, dry_run, entry, ownership, parser, report, resume
from nn.core import format
from nn.models import model_file
from nn.spark.backend import SparkBackend
from nn.spark.input import reader
from nn.spark.input.shuffle import shuffled
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.cluster import wait_for_executors
from nn.spark.runtime.session import shows_on_terminal, spark_context
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from nn.training import diagnosis, evaluation


def main(options):
    """Say the plan, look over the cluster or run the job, as the options ask."""
    for note in options.notes:
        console.print_line(format.note(note))
    if options.dry_run:
        console.print_line(dry_run.lines(options))
        return
    with spark_context("neural network training", options.debug) as context:
        storage = Storage(context)
        output = Output(storage.folder(options.output))
        with ownership.claimed(options, output, console.print_line):
            checkpoints = Checkpoints(output.folder, options.keep_checkpoints)
            start = resume.start(options, output, checkpoints)
            if start.is_finished:
                console.print_line(start.lines())
            elif options.check:
                check.run(context, storage, output, start)
            else:
                run(context, storage, output, checkpoints, start)


def run(context, storage, output, checkpoints, start):
    """The job, from the first file that is read to the last that is written."""
    clock = report.Clock()
    executors = wait_for_executors(context, console.print_line)
    options = start.options.for_cluster(context.defaultParallelism)
    console.print_line(report.spark_line(context, executors, options, output.folder))

    # read
    train_source, test_source = options.sources()
    with options.get_data_hint():
        train_set, test_set = reader.read_both(
            context, storage, train_source, test_source, options.pieces, options.wishes
        )
    assert test_set is not None
    if options.shuffle_once:
        train_set = shuffled(train_set, options.recipe.seed)
    about = report.describe_data(storage, options, train_set.rows)
    training = options.training_run(train_set.facts)
    backend = SparkBackend(train_set.blocks, train_set.cached, train_set.weighted)
    backend.split(training.split)
    options = options.with_recipe(training.recipe)
    console.print_line(
        report.data_lines(
            train_set, test_set, training.recipe, training.split, about["name"], clock.lap("reading")
        )
    )

    # train
    data = resume.data_of(train_set, test_set)
    progress = start.progress(options, data, training)
    notes = report.many_jobs_notes(training, backend)
    console.print_line(report.plan_lines(training.recipe, training.model, notes) + start.lines())
    table = console.Table(training.plan, live=shows_on_terminal(context), done=start.epoch)
    epochs = training.epochs(console.CountingBackend(backend, table), progress)
    resume.prepare_output(start, options, output, checkpoints)
    with resume.recording(start, options, data, training, output, checkpoints) as record:
        for progress in table.watch(epochs):
            record(progress)
        record.finish()
        model, params = training.model, training.final_params(progress)
        clock.lap("training")

        # score and write
        context.setJobDescription("scoring TEST_IMAGES")
        handle = broadcast(context, params)
        score = evaluation.evaluate(test_set.blocks, model, handle)
        handle.destroy()
        clock.lap("scoring")
        summary = report.summary(
            options,
            context,
            train_set,
            test_set,
            training.split,
            about,
            model,
            start.epoch,
            progress,
            score,
            clock,
        )
        trained_on = {"data": about, "test_accuracy": score.accuracy}
        output.write_results(score, summary, model_file.to_bytes(model, params, trained_on))
    at_once = min(context.defaultParallelism, train_set.partitions)
    notes = diagnosis.notes(score, progress, model, params)
    console.print_line(
        report.summary_lines(
            options, training.plan, progress, score, notes, clock, output.folder.is_local, at_once
        )
    )


if __name__ == "__main__":
    sys.exit(entry.run("main_task.py", parser.parse, main))
