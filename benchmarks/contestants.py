"""Who takes part in the side-by-side benchmark, in which of its sections, and under which name."""

from __future__ import annotations

from dataclasses import dataclass

BATCHES, LARGER, ALL_ROWS, OTHER = "batches", "larger batches", "all rows", "other"
STANDARD, ACCURACY, ROWS, HIDDEN, PARTITIONS = "standard", "accuracy", "rows", "hidden", "partitions"

NUMPY, OURS, TORCH, JAX = "NumPy limit", "this project", "PyTorch, one process", "JAX, jit and scan"


@dataclass(frozen=True)
class Contestant:
    """One way to train the network: a peer and its options."""

    name: str  # in tables and pictures
    peer: str  # a module of benchmarks/peers
    step: str  # what it learns from at a step: mini-batches, all rows, or another method altogether
    sections: frozenset[str]
    words: tuple[str, ...] = ()
    elsewhere: bool = False  # whether it runs in the peers' Python
    needs_native_blas: bool = False
    accuracy_epochs: int = 40  # at most, on the way to the highest accuracy
    epochs: int = 8  # where an epoch is timed; a Spark whose epochs are short jobs needs more to warm up
    slow: bool = False  # on the way there only with the first of the networks


def _in(*sections: str) -> frozenset[str]:
    return frozenset(sections)


PARAMETERS, GRADIENTS = ("--average", "parameters"), ("--average", "gradients")
# What brought PyTorch to 97 % soonest, beside batches of 64 at a rate of 0.05 and of 128 at 0.1.
SOONEST = (*PARAMETERS, "--batch-size", "256", "--learning-rate", "0.2")
LBFGS = (*GRADIENTS, "--optimizer", "l-bfgs", "--activation", "sigmoid")
MLP = "MultilayerPerceptronClassifier"

CONTESTANTS = (
    Contestant(NUMPY, "numpy_limit", BATCHES, _in(STANDARD, ACCURACY, ROWS, HIDDEN), PARAMETERS),
    Contestant(
        OURS, "nn_spark", BATCHES, _in(STANDARD, ACCURACY, ROWS, HIDDEN, PARTITIONS), PARAMETERS, epochs=40
    ),
    Contestant(TORCH, "torch_process", BATCHES, _in(STANDARD, ACCURACY, HIDDEN), PARAMETERS, elsewhere=True),
    Contestant(
        "PyTorch, one thread",
        "torch_process",
        BATCHES,
        _in(STANDARD),
        (*PARAMETERS, "--threads", "1"),
        elsewhere=True,
    ),
    Contestant(
        "PyTorch, TorchDistributor", "torch_distributor", BATCHES, _in(STANDARD, ACCURACY), elsewhere=True
    ),
    Contestant(JAX, "jax_scan", BATCHES, _in(STANDARD, ACCURACY, HIDDEN), elsewhere=True),
    Contestant("Keras on JAX", "keras_jax", BATCHES, _in(STANDARD, ACCURACY), elsewhere=True),
    Contestant("scikit-learn", "sklearn_mlp", BATCHES, _in(STANDARD, ACCURACY), elsewhere=True),
    Contestant(f"{NUMPY}, batches of 256", "numpy_limit", LARGER, _in(ACCURACY), SOONEST),
    Contestant(f"{OURS}, batches of 256", "nn_spark", LARGER, _in(ACCURACY), SOONEST),
    Contestant("PyTorch, batches of 256", "torch_process", LARGER, _in(ACCURACY), SOONEST, elsewhere=True),
    Contestant("JAX, batches of 256", "jax_scan", LARGER, _in(ACCURACY), SOONEST[2:], elsewhere=True),
    Contestant(f"{NUMPY}, all rows", "numpy_limit", ALL_ROWS, _in(STANDARD, ROWS, HIDDEN), GRADIENTS),
    Contestant(
        f"{OURS}, all rows",
        "nn_spark",
        ALL_ROWS,
        _in(STANDARD, ROWS, HIDDEN, PARTITIONS),
        GRADIENTS,
        epochs=40,
    ),
    Contestant(
        "PyTorch, all rows", "torch_process", ALL_ROWS, _in(STANDARD, HIDDEN), GRADIENTS, elsewhere=True
    ),
    Contestant("one row a record", "per_record", ALL_ROWS, _in(STANDARD), epochs=4),
    Contestant(
        f"{OURS}, L-BFGS",
        "nn_spark",
        OTHER,
        _in(STANDARD, ACCURACY),
        LBFGS,
        accuracy_epochs=300,
        epochs=40,
        slow=True,
    ),
    Contestant(
        MLP,
        "spark_mlp",
        OTHER,
        _in(STANDARD, ACCURACY),
        ("--driver-memory", "4g"),
        accuracy_epochs=300,
        slow=True,
    ),
    Contestant(
        f"{MLP}, native BLAS",
        "spark_mlp",
        OTHER,
        _in(STANDARD),
        ("--driver-memory", "4g"),
        needs_native_blas=True,
    ),
)


def named(words: str | None) -> tuple[Contestant, ...]:
    """Those of some peers, as 'numpy_limit,nn_spark', or all; ValueError for a peer that is not there."""
    if words is None:
        return CONTESTANTS
    peers = words.split(",")
    known = sorted({contestant.peer for contestant in CONTESTANTS})
    for peer in peers:
        if peer not in known:
            raise ValueError(f"expected peers of {', '.join(known)}, found {peer!r}")
    return tuple(contestant for contestant in CONTESTANTS if contestant.peer in peers)
