"""Which options of a recipe an option given beside it replaces, other than its own."""

from __future__ import annotations

from typing import Any

OF_REPLICAS = ("rounds_per_epoch", "epochs_per_round", "outer_learning_rate", "outer_momentum")
REPLACES = {  # an option: those of the recipe that it replaces
    "sample": ("batch_size", "average", *OF_REPLICAS),
    "batch_size": ("sample",),
    "rounds_per_epoch": ("epochs_per_round",),
    "epochs_per_round": ("rounds_per_epoch",),
    "layers": ("hidden", "activation"),
    "hidden": ("layers",),
    "activation": ("layers",),
    "optimizer": ("learning_rate", "schedule", "warmup"),  # each has its own
}
# Options that l-bfgs does not support.
FIRST_ORDER = ("sample", "batch_size", "clip", "l1", "average", *OF_REPLICAS, "average_weights")


def replaced_by(option: str, value: Any) -> tuple[str, ...]:
    """Return the names of the recipe's options that an option with this value replaces; None: its default."""
    if value is None and option not in ("optimizer", "validation_fraction"):
        return ()
    replaced = REPLACES.get(option, ())
    if option == "optimizer" and value is not None and value.needs_exact_cost:
        replaced += FIRST_ORDER
    if option == "average":
        replaced = ("sample",) if value == "parameters" else OF_REPLICAS
    if option == "validation_fraction" and not value:
        replaced = ("patience",)
    return replaced
