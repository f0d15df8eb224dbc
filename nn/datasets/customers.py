"""Draw a table of customers, as a shop's database would give it, and write it as customers.csv.

A table for trying the options for tables: an id, numbers of several units, strings of which one needs quotes, missing
values, a date, a yes-or-no column to classify (bought) and a column of values to predict (spent). Both follow a rule
with noise, so that no model can be right about all rows.
"""

from __future__ import annotations

import csv
import datetime
import os

import numpy as np

from nn.datasets.writing import Written

NAME = "customers.csv"
ROWS = 2_000
HEADER = ("id", "age", "income", "city", "visits", "member", "since", "bought", "spent")
CITIES = ("Berlin", "Lagos", "Lima", "Osaka", "Pune", "Washington, DC")
FIRST_DAY = datetime.date(2015, 1, 1)


def write_table(folder: str, rows: int, seed: int) -> Written:
    """Write the table into the folder, completely or not at all; return the file."""
    path = os.path.join(folder, NAME)
    if os.path.isdir(path):
        raise IsADirectoryError(f"expected to write the file {path}, found a folder of that name")
    os.makedirs(folder, exist_ok=True)
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        with open(unfinished, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(draw(row, seed) for row in range(rows))
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)
    return Written(path, os.path.getsize(path))


def draw(row: int, seed: int) -> tuple[object, ...]:
    """Draw one row. It depends on the seed and its number alone, so that fewer rows are the first of more."""
    rng = np.random.default_rng([seed, row])
    age = int(rng.integers(18, 80))
    income = round(float(rng.lognormal(10.7, 0.5)))
    city = int(rng.integers(len(CITIES)))
    visits = int(rng.poisson(3 + city % 3))
    member = bool(rng.random() < 0.3)
    since = FIRST_DAY + datetime.timedelta(days=int(rng.integers(3_650)))
    wish = np.log(income / 44_000) + 0.35 * (visits - 4) + 1.2 * member + (0, 0.8, -0.8)[city % 3]
    wish += 1 - ((age - 45) / 18) ** 2
    bought = bool(wish + rng.normal(0, 0.6) > 0)
    spent = float(np.exp(3.5 + 0.4 * wish + rng.normal(0, 0.15)))
    no_age, no_income = rng.random(2) < 0.04
    return (
        1_001 + row,
        "" if no_age else age,
        "NA" if no_income else income,
        CITIES[city],
        visits,
        str(member).lower(),
        since.isoformat(),
        "yes" if bought else "no",
        f"{spent:.2f}",
    )
