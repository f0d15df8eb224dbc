"""Check that a backend keeps the contract of nn.training.backend.Backend; made for the tests of a backend of your own.

from nn.training import check_backend
check_backend(lambda blocks: MyBackend(blocks.partitions))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from nn.core import random, tree
from nn.core.tree import Tree
from nn.data.batches import RowSelection
from nn.data.block import Block
from nn.data.local_rdd import LocalRDD
from nn.layers.contract import check_slope, expect
from nn.models.builder import build_network, perceptron_layers
from nn.models.losses import CrossEntropy, HalfSquaredError
from nn.optim.first_order import fresh_slots
from nn.optim.regularization import Penalty
from nn.optim.requests import Gradients, LocalSteps
from nn.optim.rules import SGD
from nn.training.backend import Backend, Job, Objective
from nn.training.records import Measures, Sums

ROWS, VALIDATION_ROWS, WIDTH, CLASSES = 60, 20, 5, 3
BATCHES = 3
FROZEN = 2  # layers
RATE = 0.1  # of the replicas' steps
ALL = RowSelection(seed=3, epoch=2)
COST = ALL._replace(fraction=0.0)


def check_backend(make: Callable[[LocalRDD], Backend], seed: int = 0) -> None:
    """Check a backend, which `make` builds from blocks in partitions, one of them empty. Raises AssertionError.

    - A job gives the same bits again. It gives them too in one pass with jobs of other networks, in the jobs' order.
    - Rows, weights, losses and correct predictions are those of the selected rows, validation rows apart.
    - Gradients, with those of the penalty, match numerical differences of the loss.
    - The mini-batches of an epoch share out the training rows, so that their gradients add up to those of all rows.
    - Frozen layers have no gradients, and change none of the others.
    - Replicas that take one step each change the parameters by the step along the gradients of all rows.
    - Validation rows have no effect on the sums of training rows.
    - The arrays of jobs are not changed.
    """
    rng = np.random.default_rng(seed)
    training, validation = _rows(rng, ROWS), _rows(rng, VALIDATION_ROWS)._replace(validation=True)
    backend = make(_partitions(training, validation))
    jobs = _jobs()
    before = [tree.copy(job.params) for job in jobs.values()]
    alone = {name: _run(backend, job) for name, job in jobs.items()}
    for name, job in jobs.items():
        expect(_same_bits(_run(backend, job), alone[name]), backend, f"{name}: a second run has other bits")
    together = backend.run(list(jobs.values()))
    for name, sums in zip(jobs, together, strict=True):
        expect(
            _same_bits(sums, alone[name]), backend, f"{name}: beside other jobs it has other bits than alone"
        )
    _check_measures(backend, jobs["cost"], alone, training, validation)
    _check_gradients(backend, jobs, alone, rng)
    others = make(_partitions(training, _rows(rng, VALIDATION_ROWS)._replace(validation=True)))
    for name, job in jobs.items():
        parts = [sums._replace(validation=Measures()) for sums in (_run(others, job), alone[name])]
        expect(
            _same_bits(*parts), backend, f"{name}: validation rows have an effect on the training rows' sums"
        )
    for job, params in zip(jobs.values(), before, strict=True):
        expect(_equal(job.params, params), backend, "the parameters of a job are changed")


def _rows(rng: np.random.Generator, count: int) -> Block:
    inputs = rng.normal(size=(count, WIDTH)).astype(np.float32)
    return Block(np.arange(count), inputs, rng.integers(0, CLASSES, count), rng.uniform(0.5, 2, count))


def _partitions(training: Block, validation: Block) -> LocalRDD:
    first = [training.take(slice(0, 7)), validation.take(slice(0, 4)), training.take(slice(7, 20))]
    last = [training.take(slice(33, None)), validation.take(slice(4, None))]
    return LocalRDD([first, [], [training.take(slice(20, 33))], last])


def _jobs() -> dict[str, Job]:
    model = build_network(perceptron_layers((4,), "tanh"), (WIDTH,), CLASSES, CrossEntropy())
    objective = Objective(model, (), Penalty(l2=0.1))
    params = tree.map_arrays(lambda w: w.astype(np.float64), model.init(1))  # for numerical differences
    steps = LocalSteps(params, fresh_slots(SGD(), params), SGD(), (RATE,), None, ROWS)
    part = objective._replace(frozen=params[:FROZEN])
    learned = steps._replace(params=params[FROZEN:], slots=steps.slots[FROZEN:])
    wide = build_network(perceptron_layers((16,), "relu"), (WIDTH,), CLASSES, HalfSquaredError())
    batches = [ALL._replace(batch=batch, batches=BATCHES, total=ROWS) for batch in range(BATCHES)]
    return {
        "cost": Job(objective, Gradients(params), COST),
        "gradients": Job(objective, Gradients(params), ALL),
        "frozen layers": Job(part, Gradients(params[FROZEN:]), ALL),
        "replicas of frozen layers": Job(part, learned, ALL),
        "another network": Job(Objective(wide), Gradients(wide.init(2)), ALL),
        "sample": Job(objective, Gradients(params), ALL._replace(fraction=0.5)),
        "replicas": Job(objective, steps, ALL),
        "replicas of two epochs": Job(objective, steps._replace(rates=(RATE, RATE / 2)), ALL),
        "validation rows": Job(objective, Gradients(params), COST._replace(validation_only=True)),
        **{f"batch {part.batch}": Job(objective, Gradients(params), part) for part in batches},
    }


def _run(backend: Backend, job: Job) -> Sums:
    (sums,) = backend.run([job])
    return sums


def _check_measures(
    backend: Backend, job: Job, found: dict[str, Sums], training: Block, validation: Block
) -> None:
    """Check the measures of each job, and the rows that its gradients are of; the loss has the penalty of each row."""
    train, held_out = (_measures(job, block) for block in (training, validation))
    chosen = training.take(random.sample(ALL.seed, ALL.epoch, training.rows, 0.5))
    none = Measures()
    for name, expected, sampled in (
        ("cost", (train, held_out), none),
        ("gradients", (train, held_out), train),
        ("sample", (train, held_out), _measures(job, chosen)),
        ("validation rows", (none, held_out), none),
    ):
        sums = found[name]
        same = np.allclose([*sums.train, *sums.validation], np.ravel(expected))
        expect(same, backend, f"{name}: measured {sums[:2]}, expected {expected}")
        same = np.allclose((sums.sampled, sums.weight), sampled[:2])
        expect(same, backend, f"{name}: gradients of {sums[2:4]} rows and weight, expected {sampled[:2]}")
    batches = [found[f"batch {batch}"] for batch in range(BATCHES)]
    same = np.allclose(np.sum([sums.train for sums in batches], axis=0), train)
    expect(same, backend, f"the mini-batches measure {[sums.train for sums in batches]}, expected {train}")
    for sums, name in (*((sums, "a mini-batch") for sums in batches), (found["replicas"], "replicas")):
        expect(sums.validation == none, backend, f"{name}: validation rows are measured")
        expect(sums.sampled == sums.train.rows, backend, f"{name}: gradients of {sums.sampled} rows")
    rows = [sums.train.rows for sums in found["replicas of two epochs"].earlier]
    expect(rows == [ROWS], backend, f"replicas of two epochs: {rows} rows in those before the last")


def _measures(job: Job, block: Block) -> Measures:
    model = job.objective.model
    outputs, weight = model.forward(job.params, block.inputs), float(np.asarray(block.weights).sum())
    loss = model.loss.value(outputs, block.labels, block.weights)
    correct = int(np.sum(model.loss.predict(outputs) == block.labels))
    return Measures(len(block.rows), weight, loss, correct).with_penalty(
        job.objective.penalty.value(job.params)
    )


def _check_gradients(
    backend: Backend, jobs: dict[str, Job], found: dict[str, Sums], rng: np.random.Generator
) -> None:
    params, grads = jobs["cost"].params, found["gradients"].grads

    def loss(index: int, name: str, value: np.ndarray) -> float:
        moved = [{**layer, name: value} if i == index else layer for i, layer in enumerate(params)]
        return _run(backend, jobs["cost"]._replace(request=Gradients(moved))).train.loss

    for index, layer in enumerate(params):
        for name, at in layer.items():
            difference = check_slope(partial(loss, index, name), at, grads[index][name], rng)
            expect(difference is None, backend, f"the gradient of {index}.{name} is wrong: {difference}")
    total = found["batch 0"].grads
    for batch in range(1, BATCHES):
        total = tree.add(total, found[f"batch {batch}"].grads)
    expect(
        _equal(total, grads, 1e-6),
        backend,
        "the gradients of the mini-batches do not add up to those of all rows",
    )
    same = _equal(found["frozen layers"].grads, grads[FROZEN:], 1e-6)
    expect(same, backend, "frozen layers change the gradients of the others")
    change = found["replicas"].grads.params
    same = _equal(change, tree.scale(grads, -RATE), 1e-6)
    expect(same, backend, "replicas of one step do not change the parameters by that step")


def _same_bits(one: Sums, other: Sums) -> bool:
    """Return whether two sums are the same but for the times."""
    epochs = [[part[:4] for part in sums.earlier] for sums in (one, other)]
    return one[:4] == other[:4] and epochs[0] == epochs[1] and _equal(one.grads, other.grads)


def _equal(one: Tree, other: Tree, tolerance: float = 0.0) -> bool:
    """Return whether two trees, or None, have the same structure and the same numbers."""
    if one is None or other is None:
        return one is other
    close = partial(np.allclose, rtol=tolerance, atol=tolerance)
    return all(tree.arrays(tree.map_arrays(close, one, other)))
