"""Draw the pictures of docs/tutorial/: python -m tools.drawings FOLDER. Some ten seconds; needs no data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from nn.plotting.style import house_style, save
from tools.drawings import bold_driver, epoch, network, sigmoid

PICTURES: dict[str, Callable[[], Figure]] = {
    "forward.svg": network.forward_picture,
    "backward.svg": network.backward_picture,
    "sigmoid.svg": sigmoid.picture,
    "epoch.svg": epoch.picture,
    "bold_driver.svg": bold_driver.picture,
}


def main(arguments: list[str]) -> None:
    """Write all pictures into a folder."""
    if len(arguments) != 1:
        sys.exit("usage: python -m tools.drawings FOLDER")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        with house_style():
            print(save(draw(), folder / name))


if __name__ == "__main__":
    main(sys.argv[1:])
