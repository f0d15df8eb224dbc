"""Train with functions in the place of a backend, so that a test can count, change or watch each job."""

from types import SimpleNamespace

from nn.models.losses import CrossEntropy
from nn.optim.regularization import Penalty
from nn.optim.requests import Gradients, LocalSteps
from nn.training import chain
from nn.training.adding import sum_in_order
from nn.training.backend import Job, Objective
from nn.training.local import LocalBackend
from nn.training.run import TrainingRun

NETWORK = SimpleNamespace(loss=CrossEntropy())  # all that the loop asks of a network


def step(blocks, model, params, selection, augmentation=(), frozen=0):
    """The sums of one job on blocks; `params` is a handle."""
    return sum_in_order(chain.step(blocks, model, params, selection, augmentation, frozen))


def measure_on(rows, model, augmentation=(), penalty=None):
    """A function (params, selection) -> Sums; `rows` are blocks in memory or a backend."""
    run, objective = _runner(rows), Objective(model, augmentation, penalty or Penalty())
    return lambda params, selection: run(Job(objective, Gradients(params), selection))


def descend_on(rows, model, augmentation=(), penalty=None):
    """A function (request, selection) -> Sums of replicas."""
    run, objective = _runner(rows), Objective(model, augmentation, penalty or Penalty())
    return lambda request, selection: run(Job(objective, request, selection))


def _runner(rows):
    backend = rows if hasattr(rows, "run") else LocalBackend(rows)
    return lambda job: backend.run([job])[0]


class FunctionBackend:
    """A backend of two functions."""

    def __init__(self, measure, descend=None):
        self.measure, self.descend = measure, descend

    def run(self, jobs):
        return [
            self.descend(job.request, job.selection)
            if isinstance(job.request, LocalSteps)
            else self.measure(job.request.params, job.selection)
            for job in jobs
        ]


def train(measure, optimizer, plan, progress, descend=None, patience=None):
    """The progress after each epoch of a run whose jobs are the functions' work."""
    run = TrainingRun(Objective(NETWORK), None, plan, optimizer, SimpleNamespace(patience=patience))
    return run.epochs(FunctionBackend(measure, descend), progress)


def kept(optimizer, progress):
    """The parameters that a run ends with."""
    return TrainingRun(Objective(NETWORK), None, None, optimizer, None).final_params(progress)


def split_rows(dataset, split):
    """The blocks of a Dataset on Spark after a split."""
    from nn.spark.backend import SparkBackend

    backend = SparkBackend(dataset.blocks, dataset.cached, dataset.weighted)
    backend.split(split)
    return backend.blocks
