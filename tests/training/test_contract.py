"""check_backend finds each kind of mistake that a backend of one's own may have."""

import pytest

from nn.core import tree
from nn.data.batches import RowSelection
from nn.data.local_rdd import LocalRDD
from nn.optim.regularization import Penalty
from nn.optim.requests import LocalSteps
from nn.training import check_backend
from nn.training.local import LocalBackend


def test_the_local_backend_keeps_the_contract():
    check_backend(LocalBackend)


def is_small(block):
    return block.validation and len(block.rows) == 4


class Reversed(LocalBackend):
    def run(self, jobs):
        return super().run(jobs)[::-1]


class OtherOrderForSeveralJobs(LocalBackend):
    def run(self, jobs):
        blocks = self.blocks if len(jobs) == 1 else LocalRDD(self.blocks.partitions[::-1])
        return [LocalBackend(blocks)._run(job) for job in jobs]


class Drifting(LocalBackend):
    runs = 0

    def _run(self, job):
        self.runs += 1
        sums = super()._run(job)
        return sums._replace(train=sums.train._replace(loss=sums.train.loss * (1 + 1e-15 * self.runs)))


class WithoutPenalty(LocalBackend):
    def _run(self, job):
        return super()._run(job._replace(objective=job.objective._replace(penalty=Penalty())))


class WithoutTheLastPartition(LocalBackend):
    def __init__(self, blocks):
        super().__init__(LocalRDD(blocks.partitions[:-1]))


class WithoutSomeValidation(LocalBackend):
    def __init__(self, blocks):
        super().__init__(blocks.filter(lambda block: not is_small(block)).persist())


class LearningFromValidation(LocalBackend):
    def __init__(self, blocks):
        super().__init__(
            blocks.map(lambda block: block._replace(validation=False) if is_small(block) else block).persist()
        )


class NumbersFromValidation(LocalBackend):
    def _run(self, job):
        shift = float(sum(block.inputs.sum() for block in self.blocks if block.validation))
        sums = super()._run(job)
        if sums.grads is None:
            return sums
        return sums._replace(grads=tree.scale(sums.grads, 1 + shift * 1e-10))


class WithoutWeights(LocalBackend):
    def __init__(self, blocks):
        super().__init__(blocks.map(lambda block: block._replace(weights=None)).persist())


class Selecting(LocalBackend):
    def _run(self, job):
        return super()._run(job._replace(selection=self.select(job.selection)))


class AllRowsInEveryBatch(Selecting):
    def select(self, selection):
        return selection._replace(batch=None)


class TheSameBatch(Selecting):
    def select(self, selection):
        return selection if selection.batch is None else selection._replace(batch=0)


class WithoutSample(Selecting):
    def select(self, selection):
        return selection._replace(fraction=1.0) if selection.fraction else selection


class AnotherSample(Selecting):
    def select(self, selection):
        return selection._replace(seed=selection.seed + 1)


class ValidationNotAlone(Selecting):
    def select(self, selection):
        return selection._replace(validation_only=False)


class TwiceTheGradients(LocalBackend):
    def _run(self, job):
        sums = super()._run(job)
        return sums if sums.grads is None else sums._replace(grads=tree.scale(sums.grads, 2.0))


class MeanOfReplicas(LocalBackend):
    def _run(self, job):
        sums = super()._run(job)
        if not isinstance(job.request, LocalSteps):
            return sums
        return sums._replace(grads=tree.scale(sums.grads, 1 / sums.weight))


class WithoutEarlierEpochs(LocalBackend):
    def _run(self, job):
        return super()._run(job)._replace(earlier=())


class Overwriting(LocalBackend):
    def _run(self, job):
        sums = super()._run(job)
        if job.selection == RowSelection(3, 2):
            for array in tree.arrays(job.params):
                array += 1e-3
        return sums


class OtherFrozenWeights(LocalBackend):
    def _run(self, job):
        frozen = tree.scale(job.objective.frozen, 2.0)
        return super()._run(job._replace(objective=job.objective._replace(frozen=frozen)))


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (Reversed, "cost: beside other jobs it has other bits than alone"),
        (OtherOrderForSeveralJobs, "beside other jobs it has other bits than alone"),
        (Drifting, "cost: a second run has other bits"),
        (WithoutPenalty, "cost: measured .*, expected"),
        (WithoutTheLastPartition, "cost: measured .*rows=33.*, expected .*rows=60"),
        (WithoutSomeValidation, "cost: measured .*rows=16.*, expected .*rows=20"),
        (LearningFromValidation, "cost: measured .*rows=64.*, expected .*rows=60"),
        (NumbersFromValidation, "validation rows have an effect on the training rows' sums"),
        (WithoutWeights, "cost: measured .*weight=60.0"),
        (AllRowsInEveryBatch, "the mini-batches measure"),
        (TheSameBatch, "the mini-batches measure"),
        (WithoutSample, "sample: gradients of .* rows and weight, expected"),
        (AnotherSample, "sample: gradients of .* rows and weight, expected"),
        (ValidationNotAlone, "validation rows: measured"),
        (TwiceTheGradients, "the gradient of 0.W is wrong: along a random direction"),
        (MeanOfReplicas, "replicas of one step do not change the parameters by that step"),
        (WithoutEarlierEpochs, r"replicas of two epochs: \[\] rows in those before the last"),
        (OtherFrozenWeights, "frozen layers change the gradients of the others"),
        (Overwriting, "a second run has other bits"),
    ],
)
def test_a_wrong_backend_is_found(backend, message):
    with pytest.raises(AssertionError, match=f"^{backend.__name__}: .*{message}"):
        check_backend(backend)
