"""Tables for benchmarks/tabular.py: those that scikit-learn ships, and three made in the manner of well-known ones.

A table is a dict of columns, raw, as people have them: units of all sizes, texts, missing values. The made
ones copy the kinds of columns, their ranges, their missing values and the balance of the classes of their models; their
labels follow a rule with noise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Column = np.ndarray
ROWS = 20_000  # of a made table


class Table(NamedTuple):
    """A table with its labels, or with the values of its target."""

    name: str
    columns: dict[str, Column]
    labels: np.ndarray  # (n,) names, numbers or values
    task: str = "classification"

    def rows(self, index: np.ndarray) -> dict[str, Column]:
        """Return the chosen rows of the columns."""
        return {name: column[index] for name, column in self.columns.items()}


def shipped(name: str) -> Table:
    """Return one of scikit-learn's tables, in their raw units."""
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")(**({"scaled": False} if name == "diabetes" else {}))
    names = list(bunch.feature_names)
    columns = {str(name): bunch.data[:, index] for index, name in enumerate(names)}
    if name == "diabetes":
        return Table(name, columns, bunch.target, "regression")
    return Table(name, columns, np.asarray(bunch.target_names)[bunch.target])


def adult_like(seed: int = 0, rows: int = ROWS) -> Table:
    """People with an income above or below a bound: categories, missing values in two of them, a heavy tail."""
    rng = np.random.default_rng([1, seed])
    education = rng.choice(16, rows, p=_falling(rng, 16))
    age = np.clip(rng.gamma(6, 6.5, rows), 17, 90).round()
    hours = np.clip(rng.normal(40, 12, rows), 1, 99).round()
    married = rng.random(rows) < 0.25 + 0.4 * (age > 30)
    occupation = rng.choice(14, rows, p=_falling(rng, 14))
    skill = rng.normal(0, 1, 14)
    gain = np.where(rng.random(rows) < 0.08, rng.lognormal(8.5, 1, rows), 0).round()
    loss = np.where(rng.random(rows) < 0.05, rng.normal(1900, 300, rows), 0).round()
    score = (
        0.33 * education + 1.4 * married + 0.9 * skill[occupation] + 0.04 * (hours - 40)
        - ((age - 48) / 18) ** 2 + 0.00035 * gain + 0.0004 * loss + 0.5 * (married & (education > 8))
    )  # fmt: skip
    noisy = score + rng.logistic(0, 0.9, rows)
    labels = np.where(noisy > np.quantile(noisy, 0.76), ">50K", "<=50K")
    marital = np.where(married, "Married", rng.choice(["Never-married", "Divorced", "Widowed"], rows))
    columns: dict[str, Column] = {
        "age": age,
        "workclass": _with_missing(rng, _names(rng, "Work", 8, rows), 0.056),
        "fnlwgt": rng.lognormal(12, 0.5, rows).round(),
        "education": np.array([f"Grade-{level}" for level in education], object),
        "education-num": education + 1.0,
        "marital-status": marital.astype(object),
        "occupation": _with_missing(rng, np.array([f"Job-{kind}" for kind in occupation], object), 0.057),
        "race": _names(rng, "Group", 5, rows),
        "sex": rng.choice(np.array(["Female", "Male"], object), rows),
        "capital-gain": gain,
        "capital-loss": loss,
        "hours-per-week": hours,
        "native-country": _names(rng, "Country", 40, rows),
    }
    return Table("adult-like", columns, labels)


def covtype_like(seed: int = 0, rows: int = ROWS) -> Table:
    """Forest cover: ten numbers in units of their own, two sets of yes-or-no columns, seven classes of all sizes."""
    rng = np.random.default_rng([2, seed])
    elevation = rng.normal(2960, 280, rows).round()
    aspect = rng.uniform(0, 360, rows).round()
    slope = np.clip(rng.gamma(3.5, 4, rows), 0, 66).round()
    water = rng.exponential(270, rows).round()
    above_water = (rng.normal(46, 58, rows)).round()
    road, fire = rng.exponential(2350, rows).round(), rng.exponential(1980, rows).round()
    light = np.deg2rad(aspect)
    shade = [
        np.clip(212 + 27 * np.sin(light + turn) - slope / 3 + rng.normal(0, 8, rows), 0, 254).round()
        for turn in (0.9, 2.4, 4.2)
    ]
    area = np.digitize(elevation + rng.normal(0, 150, rows), [2550, 2850, 3150])
    soil = np.clip((elevation - 1900) / 45 + rng.normal(0, 4, rows), 0, 39).astype(int)
    bias = np.array([0.4, 0.9, -0.4, -2.4, -1.6, -0.9, -0.6])
    centers = np.array([3120, 2920, 2400, 2220, 2790, 2420, 3360])
    sunny = np.array([0.2, 0.5, 0.3, -0.3, 0.7, -0.6, 0.0])
    score = (
        bias - ((elevation[:, None] - centers) / 170) ** 2 + sunny * np.cos(light)[:, None] * (slope / 10)[:, None]
        + rng.normal(0, 1, (40, 7))[soil] * 0.7 - np.outer(np.log1p(water), np.linspace(-0.25, 0.25, 7))
        + np.sin(elevation[:, None] / 90 + np.arange(7)) + np.outer(np.sin(road / 900), rng.normal(0, 0.6, 7))
        + np.outer(fire > 2500, rng.normal(0, 0.5, 7))
    )  # fmt: skip
    labels = (score + rng.gumbel(0, 0.6, score.shape)).argmax(axis=1) + 1
    columns: dict[str, Column] = {
        "Elevation": elevation,
        "Aspect": aspect,
        "Slope": slope,
        "Horizontal_Distance_To_Hydrology": water,
        "Vertical_Distance_To_Hydrology": above_water,
        "Horizontal_Distance_To_Roadways": road,
        "Hillshade_9am": shade[0],
        "Hillshade_Noon": shade[1],
        "Hillshade_3pm": shade[2],
        "Horizontal_Distance_To_Fire_Points": fire,
        **{f"Wilderness_Area{number + 1}": (area == number) * 1.0 for number in range(4)},
        **{f"Soil_Type{number + 1}": (soil == number) * 1.0 for number in range(40)},
    }
    return Table("covtype-like", columns, labels)


def california_like(seed: int = 0, rows: int = ROWS) -> Table:
    """House values by district: places, heavy tails, missing values in one column; the target is capped."""
    rng = np.random.default_rng([3, seed])
    towns = rng.uniform([-124, 32.5], [-114.3, 42], (40, 2))
    sizes = rng.lognormal(0, 0.8, 40)
    town = rng.choice(40, rows, p=sizes / sizes.sum())
    place = towns[town] + rng.normal(0, 0.35, (rows, 2))
    income = np.clip(rng.lognormal(1.25, 0.45, rows), 0.5, 15)
    age = np.clip(rng.normal(28.6, 12.6, rows), 1, 52).round()
    households = rng.lognormal(6, 0.7, rows).round() + 1
    rooms = (households * np.clip(rng.normal(4.2 + income / 4, 1, rows), 1, 30)).round()
    bedrooms = (households * np.clip(rng.normal(1.08, 0.1, rows), 0.8, 5)).round()
    population = (households * np.clip(rng.lognormal(1.0, 0.3, rows), 1, 30)).round()
    coast = np.abs(place[:, 0] + 114.5 + 0.9 * (place[:, 1] - 32.5))
    near = np.exp(-((place[:, None] - towns[sizes.argsort()[-6:]]) ** 2).sum(axis=2)).sum(axis=1)
    value = (
        60_000 + 38_000 * income + 90_000 * np.exp(-coast / 1.5) + 80_000 * near + 600 * age
        - 25_000 * np.log(population / households) + 20_000 * rooms / households / 5
    )  # fmt: skip
    value = np.clip(value * rng.lognormal(0, 0.22, rows), 15_000, 500_001).round()
    columns: dict[str, Column] = {
        "longitude": place[:, 0].round(2),
        "latitude": place[:, 1].round(2),
        "housing_median_age": age,
        "total_rooms": rooms,
        "total_bedrooms": np.where(rng.random(rows) < 0.01, np.nan, bedrooms),
        "population": population,
        "households": households,
        "median_income": income.round(4),
        "ocean_proximity": np.select([coast < 0.7, coast < 2], ["NEAR OCEAN", "<1H OCEAN"], "INLAND").astype(object),
    }  # fmt: skip
    return Table("california-like", columns, value, "regression")


TABLES = {
    **{
        name: lambda name=name: shipped(name)
        for name in ("iris", "wine", "breast_cancer", "digits", "diabetes")
    },
    "covtype-like": covtype_like,
    "adult-like": adult_like,
    "california-like": california_like,
}


def _falling(rng: np.random.Generator, count: int) -> np.ndarray:
    shares = np.sort(rng.exponential(1, count))[::-1] + 0.05
    return shares / shares.sum()


def _names(rng: np.random.Generator, prefix: str, count: int, rows: int) -> np.ndarray:
    return np.array([f"{prefix}-{kind}" for kind in rng.choice(count, rows, p=_falling(rng, count))], object)


def _with_missing(rng: np.random.Generator, column: np.ndarray, share: float) -> np.ndarray:
    holed = column.copy()
    holed[rng.random(len(column)) < share] = None
    return holed
