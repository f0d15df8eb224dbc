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
from nn.spark.backend import descend_on, measure_on, seconds_per_batch
from nn.spark.input import reader
from nn.spark.input.shuffle import shuffled
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.cluster import wait_for_executors
from nn.spark.runtime.session import shows_on_terminal, spark_context
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from nn.training import diagnosis, evaluation
from nn.training.loop import kept, train
from nn.training.penalized import measure_with


def main(asked):
    """Say the plan, look over the cluster or run the job, as the options ask."""
    for note in asked.notes:
        console.print_line(format.note(note))
    if asked.dry_run:
        console.print_line(dry_run.lines(asked))
        return
    with spark_context("neural network training", asked.debug) as context:
        storage = Storage(context)
        output = Output(storage.folder(asked.output))
        with ownership.claimed(asked, output, console.print_line):
            checkpoints = Checkpoints(output.folder, asked.keep_checkpoints)
            start = resume.start(asked, output, checkpoints)
            if start.is_finished:
                console.print_line(start.lines())
            elif asked.check:
                check.run(context, storage, output, start)
            else:
                run(context, storage, output, checkpoints, start)


def run(context, storage, output, checkpoints, start):
    """The job, from the first file that is read to the last that is written."""
    clock = report.Clock()
    executors = wait_for_executors(context, console.print_line)
    asked = start.options.for_cluster(context.defaultParallelism)
    console.print_line(report.spark_line(context, executors, asked, output.folder))

    # read
    train_source, test_source = asked.sources()
    with asked.get_data_hint():
        train_set, test_set = reader.read_both(context, storage, train_source, test_source, asked.pieces)
    if asked.shuffle_once:
        train_set = shuffled(train_set, asked.recipe.seed)
    about = report.describe_data(storage, asked, train_set.rows)
    split = asked.split(train_set.labels, train_set.classes)
    model = asked.model(train_set.width, train_set.classes, scale=train_set.largest or 1.0)
    train_blocks = reader.learned_from(train_set, split)
    asked = asked.for_replicas(split.train_rows, train_set.partitions)
    recipe = asked.recipe
    console.print_line(
        report.data_lines(train_set, test_set, recipe, split, about["name"], clock.lap("reading"))
    )

    # train
    params = model.init(recipe.seed)
    plan = recipe.plan(split.train_rows)
    optimizer = recipe.optimizer_for(plan)
    data = resume.data_of(train_set, test_set)
    progress = start.progress(asked, data, optimizer, plan, params)
    penalty = recipe.penalty()
    measure = measure_with(penalty, measure_on(train_blocks, model, recipe.augment))
    many = []
    if report.many_jobs(plan, optimizer):
        many = [report.many_jobs_note(plan, optimizer, seconds_per_batch(measure, params, plan))]
    console.print_line(report.plan_lines(recipe, model, many) + start.lines())
    table = console.Table(plan, live=shows_on_terminal(context), done=start.epoch)
    measure = table.with_progress(measure)
    descend = table.with_progress(descend_on(train_blocks, model, recipe.augment, penalty))
    epochs = train(measure, optimizer, plan, progress, descend, recipe.patience)
    resume.prepare_output(start, asked, output, checkpoints)
    with resume.recording(start, asked, data, optimizer, output, checkpoints) as record:
        for progress in table.watch(epochs):
            record(progress)
        record.finish()
        params = kept(optimizer, progress)
        clock.lap("training")

        # score and write
        context.setJobDescription("scoring TEST_IMAGES")
        handle = broadcast(context, params)
        score = evaluation.evaluate(test_set.blocks, model, handle)
        handle.destroy()
        clock.lap("scoring")
        summary = report.summary(
            asked, context, train_set, test_set, split, about, model, start.epoch, progress, score, clock
        )
        trained_on = {"data": about, "test_accuracy": score.accuracy}
        output.write_results(score, summary, model_file.to_bytes(model, params, trained_on))
    at_once = min(context.defaultParallelism, train_set.partitions)
    notes = diagnosis.notes(score, progress, model, params)
    console.print_line(
        report.summary_lines(asked, plan, progress, score, notes, clock, output.folder.is_local, at_once)
    )


if __name__ == "__main__":
    sys.exit(entry.run("main_task.py", parser.parse, main))
