"""The pictures of activations and schedules, drawn from the classes themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.layers import ACTIVATIONS, LAYERS
from nn.optim.schedules import SCHEDULES, BoldDriver, Memory, Schedule
from tools.docs.svg import Axis, curve

EPOCHS = 100
REJECTED = 7  # each seventh trial, in the picture of Bold Driver
EXAMPLES: dict[str, dict[str, Any]] = {
    "step": {"every": 30.0},
    "plateau": {"patience": 20},
}  # fields that show the shape within 100 epochs
DESCRIPTIONS = {
    "step": "every=30: a tenth after 30, 60 and 90 epochs",
    "plateau": "patience=20, where the cost never falls: half after 20, 40, 60, 80 and 100 epochs",
    "bold-driver": "the rate grows by 1.2 with each accepted step; here each seventh step is rejected and halves it",
}


def activation_pictures() -> dict[str, str]:
    """Return a picture of each activation between -4 and 4, by file name."""
    pictures = {}
    for name in ACTIVATIONS:
        x = np.linspace(-4, 4, 81)
        out, _ = LAYERS[name]().forward({}, x[:, None])
        points = list(zip(x.tolist(), out[:, 0].tolist(), strict=True))
        ends = Axis(-1.2, 1.2) if max(abs(out)) <= 1 else Axis(-4, 4)
        description = (
            f"from {points[0][1]:.2g} at -4 through {points[40][1]:.2g} at 0 to {points[80][1]:.2g} at 4"
        )
        pictures[f"pictures/activation_{name}.svg"] = curve(points, Axis(-4, 4), ends, name, description)
    return pictures


def schedule_pictures() -> dict[str, str]:
    """Return a picture of each schedule in a run of 100 epochs, by file name."""
    pictures = {}
    for name, cls in SCHEDULES.items():
        points = _factors(cls(**EXAMPLES.get(name, {})))
        highest = max(1.0, *(factor for _, factor in points))
        ends = (points[0][1], points[-1][1])
        described = DESCRIPTIONS.get(name, f"the factor goes from {ends[0]:.2g} to {ends[1]:.2g}")
        axes = Axis(0, EPOCHS, "epochs"), Axis(0, float(f"{highest:.2g}"), "times the learning rate")
        pictures[f"pictures/schedule_{name.replace('-', '_')}.svg"] = curve(points, *axes, name, described)
    return pictures


def _factors(schedule: Schedule) -> list[tuple[float, float]]:
    """Return (epoch, factor of the learning rate); of bold-driver and plateau for made-up costs."""
    if isinstance(schedule, BoldDriver):
        return _bold_driver(schedule)
    memory: Memory | None = schedule.watch(None, 0.0)
    points = []
    for half in range(2 * EPOCHS + 1):
        if half and half % 2 == 0:
            memory = schedule.watch(memory, 0.0)
        scale = 1.0 if memory is None else memory.scale
        points.append((half / 2, scale * schedule.factor(half / 2, EPOCHS)))
    return points


def _bold_driver(schedule: BoldDriver) -> list[tuple[float, float]]:
    rate, points = 1.0, [(0.0, 1.0)]
    for epoch in range(1, EPOCHS + 1):
        cost = 2.0 if epoch % REJECTED == 0 else 1.0
        _, rate = schedule.accept_or_reject(rate, cost, 1.0)
        points.append((float(epoch), rate))
    return points
