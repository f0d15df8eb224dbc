"""Words and JSON are read back as the same object; a wrong word gives a one-line error."""

import dataclasses
import json
import math
import typing
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nn.core import spec
from nn.data.augmentation import AUGMENTATIONS
from nn.layers import LAYERS, Dense, Dropout, LeakyRelu, Relu, Residual, Tanh
from nn.layers.initializers import INITIALIZERS
from nn.models.losses import LOSSES
from nn.optim.lbfgs import LBFGS
from nn.optim.rules import RULES
from nn.optim.schedules import SCHEDULES


@dataclass(frozen=True)
class Odd:
    """Every kind of field; sizes of one number stand for two."""

    name: ClassVar[str] = "odd"
    positional: ClassVar[tuple[str, ...]] = ("count", "rate", "sizes")
    count: int = 1
    rate: float = 0.5
    sizes: int | tuple[int, int] = (2, 2)
    limit: float | None = None
    plain: bool = True
    word: str = "same"

    def __post_init__(self):
        if isinstance(self.sizes, int):
            object.__setattr__(self, "sizes", (self.sizes, self.sizes))
        if len(self.sizes) != 2:
            raise ValueError(f"odd sizes must be two, got {self.sizes}")
        if not math.isfinite(self.rate):
            raise ValueError(f"odd rate must be finite, got {self.rate}")


@dataclass(frozen=True)
class Bare:
    """No fields at all."""

    name: ClassVar[str] = "bare"
    positional: ClassVar[tuple[str, ...]] = ()


ODD = {"odd": Odd, "bare": Bare}
REGISTRIES = {
    "layer": LAYERS,
    "loss": LOSSES,
    "optimizer": {**RULES, LBFGS.name: LBFGS},
    "schedule": SCHEDULES,
    "augmentation": AUGMENTATIONS,
    "thing": ODD,
}
EACH = pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]
)


def values(hint):
    """Values of a field's type, mostly such as its class may take."""
    if hint in (int, float, bool, str):
        return {
            int: st.integers(1, 70),
            float: st.sampled_from([0.1, 0.25, 2.0, 1e-7, 3]) | st.floats(0, 1, exclude_max=True),
            bool: st.booleans(),
            str: st.sampled_from(["same", "valid", *INITIALIZERS]),
        }[hint]
    if hint is type(None):
        return st.none()
    if typing.get_origin(hint) is tuple:
        if hint.__args__[0] is int:
            return st.tuples(st.integers(1, 5), st.integers(1, 5))
        return st.lists(st.deferred(lambda: any_thing("layer")), min_size=1, max_size=3).map(tuple)
    return st.one_of(*map(values, typing.get_args(hint)))


@st.composite
def things(draw, kind, name):
    """Things of one class: each field at its default or anywhere."""
    cls = REGISTRIES[kind][name]
    hints, fields = typing.get_type_hints(cls), {}
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING or draw(st.integers(0, 2)) == 0:
            fields[field.name] = draw(values(hints[field.name]))
    try:
        return cls(**fields)
    except ValueError:
        assume(False)


def any_thing(kind):
    return st.sampled_from(sorted(REGISTRIES[kind])).flatmap(lambda name: things(kind, name))


def in_one_line(error):
    return len(str(error).splitlines()) == 1


# ---- there and back ----


@EACH
@settings(max_examples=25)
@given(data=st.data())
def test_to_text_and_config_are_read_back(kind, name, data):
    thing, registry = data.draw(things(kind, name)), REGISTRIES[kind]
    word = spec.to_text(thing)
    assert spec.parse(word, registry, kind) == thing
    assert spec.parse_list(f"{word}, {word}", registry, kind) == (thing, thing)
    assert spec.from_config(json.loads(json.dumps(spec.config(thing))), registry, kind) == thing
    assert spec.from_config(word, registry, kind) == thing


@pytest.mark.parametrize(
    ("thing", "word"),
    [
        (Dense(64), "dense:64"),
        (Dense(8, gain=1.5), "dense:8:gain=1.5"),
        (Dense(8, "zeros", 2.0), "dense:8:initializer=zeros:gain=2"),
        (Relu(), "relu"),
        (Dropout(0.5), "dropout:0.5"),
        (LeakyRelu(), "leaky_relu"),
        (LeakyRelu(1e-7), "leaky_relu:1e-07"),
        (
            Residual((Dense(4), Residual((Tanh(), Dropout(0.1))))),
            "residual(dense:4,residual(tanh,dropout:0.1))",
        ),
    ],
)
def test_to_text_gives_the_shortest_word(thing, word):
    assert spec.to_text(thing) == str(thing) == word
    assert spec.parse(f"  {word}\n", LAYERS, "layer") == thing


@pytest.mark.parametrize(
    ("thing", "word"),
    [
        (Odd(), "odd"),
        (Odd(3), "odd:3"),
        (Odd(3, 0.25), "odd:3x0.25"),
        (Odd(3, 0.25, (4, 4)), "odd:3x0.25x4"),
        (Odd(3, 0.25, (4, 5)), "odd:3x0.25x4x5"),
        (Odd(rate=0.25), "odd:rate=0.25"),
        (Odd(3, sizes=(4, 5)), "odd:3:sizes=4x5"),
        (Odd(limit=0.1, plain=False, word="x"), "odd:limit=0.1:plain=false:word=x"),
    ],
)
def test_to_text_uses_positions_only_before_the_first_default(thing, word):
    assert spec.to_text(thing) == word
    assert spec.parse(word, ODD, "thing") == thing


def test_parse_takes_fields_in_any_order_and_by_name():
    expected = Odd(3, 0.25, (4, 5), plain=False)
    for word in ("odd:plain=false:sizes=4x5:rate=.25:count=3", "odd:3:plain=false:rate=25e-2:sizes=4x5"):
        assert spec.parse(word, ODD, "thing") == expected


def test_parse_list_cuts_at_commas_outside_parentheses():
    layers = spec.parse_list("dense:4 , residual(relu,\n dense:4),tanh", LAYERS, "layer")
    assert layers == (Dense(4), Residual((Relu(), Dense(4))), Tanh())


def test_from_config_takes_words_inside_blocks_and_whole_numbers_for_floats():
    config = {"name": "residual", "layers": ["dense:4", {"name": "dropout", "rate": 0}]}
    block = spec.from_config(config, LAYERS, "layer")
    assert block == Residual((Dense(4), Dropout(0.0))) and type(block.layers[1].rate) is float
    assert spec.from_config({"name": "odd", "sizes": [3, 4], "limit": None}, ODD, "thing") == Odd(
        sizes=(3, 4)
    )


def test_from_config_leaves_its_argument_alone():
    config = {"name": "residual", "layers": [{"name": "dense", "units": 4}]}
    before = json.dumps(config)
    spec.from_config(config, LAYERS, "layer")
    assert json.dumps(config) == before


# ---- wrong words ----


@pytest.mark.parametrize("text", ["", " \n", "relu,\n\n,tanh", ",", "relu,"])
def test_parse_list_refuses_an_empty_word(text):
    with pytest.raises(ValueError, match=": expected words between commas, found an empty one$") as caught:
        spec.parse_list(text, LAYERS, "layer")
    assert in_one_line(caught.value)


@pytest.mark.parametrize("word", ["no", "True", "1", ""])
def test_parse_accepts_only_true_and_false_for_a_flag(word):
    with pytest.raises(ValueError, match=f"expected true or false for plain, found {word!r}"):
        spec.parse(f"odd:plain={word}", ODD, "thing")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("dens:3", "unknown layer 'dens'; known: dense, sigmoid, "),
        ("", "unknown layer ''; known: "),
        ("dense", "dense: expected dense:UNITS[:initializer=...][:gain=1]"),
        ("dense:", "dense:: expected a whole number of at least 1 for units, found ''"),
        ("dense:2.5", "dense:2.5: expected a whole number of at least 1 for units, found '2.5'"),
        ("dense:3:4", "dense:3:4: expected field=value, found '4'"),
        ("dense:3:units=4", "dense:3:units=4: units is given twice"),
        ("dense:3:gain=1:gain=1", "dense:3:gain=1:gain=1: gain is given twice"),
        ("dense:3:size=1", "dense:3:size=1: expected dense:UNITS[:initializer=...][:gain=1]"),
        ("dense:0", "dense:0: Dense units must be a whole number of at least 1, got 0"),
        ("dropout:nan", "dropout:nan: Dropout rate must be a number in [0, 1), got nan"),
        ("relu:3", "relu:3: expected relu"),
        ("relu(tanh)", "relu(tanh): relu takes no parentheses"),
        ("residual", "residual: expected residual(LAYER,LAYER,...)"),
        ("residual:2", "residual:2: expected residual(LAYER,LAYER,...)"),
        ("residual()", "nothing: expected words between commas, found an empty one"),
        ("residual(relu", "residual(relu: the parentheses do not match"),
        ("residual(relu))", "'relu)': the parentheses do not match"),
        ("residual(relu)tanh", "residual(relu)tanh: the parentheses do not match"),
        ("residual(relu,,tanh)", "relu,,tanh: expected words between commas, found an empty one"),
        ("residual(relu):depth=2", "residual(relu):depth=2: expected residual(LAYER,LAYER,...)"),
        ("residual(relu):layers=2", "residual(relu):layers=2: layers is given twice"),
        ("dense:3:ga\nin=1", "dense:3:ga in=1: expected dense:UNITS[:initializer=...][:gain=1]"),
    ],
)
def test_parse_says_what_is_wrong_with_a_word(word, message):
    with pytest.raises(ValueError) as caught:
        spec.parse(word, LAYERS, "layer")
    assert str(caught.value).startswith(message) and in_one_line(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, 'expected a layer as a word or as {"name": ...}, found 3'),
        ({"units": 3}, "expected a layer as a word or as {\"name\": ...}, found {'units': 3}"),
        ({"name": ["dense"]}, 'expected a layer as a word or as {"name": ...}, found '),
        ({"name": "dense"}, "layer dense: expected dense:UNITS[:initializer=...][:gain=1]"),
        (
            {"name": "dense", "units": "3"},
            "layer dense: expected a whole number of at least 1 for units, found '3'",
        ),
        (
            {"name": "dense", "units": True},
            "layer dense: expected a whole number of at least 1 for units, found True",
        ),
        (
            {"name": "dense", "units": 3.0},
            "layer dense: expected a whole number of at least 1 for units, found 3.0",
        ),
        (
            {"name": "dense", "units": [3]},
            "layer dense: expected a whole number of at least 1 for units, found (3,)",
        ),
        (
            {"name": "dense", "width": 3},
            "layer dense: takes the fields units, initializer, gain; found 'width'",
        ),
        ({"name": "relu", "layers": []}, "layer relu: takes the fields none; found 'layers'"),
        (
            {"name": "dropout", "rate": 10**400},
            "layer dropout: expected a number in [0, 1) for rate, found 1000",
        ),
        ({"name": "residual", "layers": "relu"}, "residual layers: expected a list, found 'relu'"),
        (
            {"name": "residual", "layers": []},
            "layer residual: Residual layers must be a tuple of at least one",
        ),
        (
            {"name": "residual", "layers": [["relu"]]},
            'expected a layer as a word or as {"name": ...}, found ',
        ),
    ],
)
def test_from_config_says_what_is_wrong_with_json(value, message):
    with pytest.raises(ValueError) as caught:
        spec.from_config(value, LAYERS, "layer")
    assert str(caught.value).startswith(message) and in_one_line(caught.value)


@pytest.mark.parametrize("sizes", [[1, "2"], [1, 2.0], [True, 2], [[1], 2], [None, 1], [1, 2, 3]])
def test_from_config_looks_at_each_number_of_a_list(sizes):
    with pytest.raises(ValueError, match="^thing odd: (expected .* for sizes, found|odd sizes must be two)"):
        spec.from_config({"name": "odd", "sizes": sizes}, ODD, "thing")


def test_parse_and_from_config_refuse_blocks_without_end():
    with pytest.raises(ValueError, match="expected parentheses at most 20 deep, found ") as caught:
        spec.parse("residual(" * 2000 + "relu" + ")" * 2000, LAYERS, "layer")
    assert len(str(caught.value)) < 300
    nest = {"name": "relu"}
    for _ in range(2000):
        nest = {"name": "residual", "layers": [nest]}
    with pytest.raises(ValueError, match="^expected layers at most 20 deep, found more$"):
        spec.from_config(nest, LAYERS, "layer")
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="^expected a layer as a word"):
        spec.from_config(deep, LAYERS, "layer")


def test_blocks_may_be_nested_as_deep_as_the_error_says():
    word = "residual(" * spec.MAX_DEPTH + "relu" + ")" * spec.MAX_DEPTH
    block = spec.parse(word, LAYERS, "layer")
    assert str(block) == word and spec.from_config(block.config(), LAYERS, "layer") == block


NAMES = sorted({name for registry in REGISTRIES.values() for name in registry})
FIELDS = sorted(
    {
        field.name
        for registry in REGISTRIES.values()
        for cls in registry.values()
        for field in dataclasses.fields(cls)
    }
)
TOKENS = (
    *(
        ":",
        ":",
        "=",
        ",",
        "(",
        ")",
        "x",
        "-",
        " ",
        "\n",
        "\u2028",
        "é",
        "0",
        "1",
        "5x3",
        "0.5",
        "1e999",
        "nan",
        "inf",
    ),
    *("true", "None", "same", "1" * 5000, *NAMES, *FIELDS),
)
texts = st.lists(st.sampled_from(TOKENS), max_size=9).map("".join) | st.text(max_size=12)
kinds = st.sampled_from(sorted(REGISTRIES))
NUMBERS = [0, 1, -3, 10**400, 0.5, -0.5, 1e300, math.nan, math.inf]
leaves = st.none() | st.booleans() | st.sampled_from([*NUMBERS, "", "same", "relu", "5x3", "a\nb"])
whatever = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "layers", *FIELDS]), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def nearly_right(draw, kind):
    """A thing's own name and fields, with anything in them."""
    cls = REGISTRIES[kind][draw(st.sampled_from(sorted(REGISTRIES[kind])))]
    fields = {field.name: draw(whatever) for field in dataclasses.fields(cls) if draw(st.booleans())}
    return {"name": cls.name, **fields}


@given(kinds, st.data())
def test_any_text_is_built_or_refused_in_one_line(kind, data):
    named = st.sampled_from(sorted(REGISTRIES[kind])).flatmap(lambda name: texts.map(f"{name}:{{}}".format))
    text = data.draw(texts | named)
    try:
        thing = spec.parse(text, REGISTRIES[kind], kind)
    except ValueError as error:
        assert in_one_line(error)
    else:
        assert spec.parse(spec.to_text(thing), REGISTRIES[kind], kind) == thing


@given(kinds, st.data())
def test_any_json_is_built_or_refused_in_one_line(kind, data):
    value = data.draw(nearly_right(kind) | whatever)
    try:
        thing = spec.from_config(value, REGISTRIES[kind], kind)
    except ValueError as error:
        assert in_one_line(error)
    else:
        assert spec.from_config(spec.config(thing), REGISTRIES[kind], kind) == thing


@given(st.text(alphabet="(),ab ", max_size=12))
@example("a,(b,c),()")
def test_split_ignores_commas_in_parentheses(text):
    try:
        words = spec.split(text)
    except ValueError as error:
        assert in_one_line(error)
    else:
        assert all(word and word.count("(") == word.count(")") for word in words)
        assert "".join(",".join(words).split()) == "".join(text.split())


@EACH
def test_signature_names_every_field(kind, name):
    cls = REGISTRIES[kind][name]
    signature_text = spec.signature(cls)
    assert signature_text.startswith(name)
    for field in dataclasses.fields(cls):
        by_place = field.name.upper() if field.name != "layers" else "LAYER,LAYER"
        assert (by_place if field.name in cls.positional else f"[:{field.name}=") in signature_text


def test_signature_says_defaults_and_what_may_be_left_out():
    assert spec.signature(LAYERS["leaky_relu"]) == "leaky_relu[:SLOPE=0.01]"
    assert spec.signature(LAYERS["dropout"]) == "dropout:RATE"
    assert spec.signature(LAYERS["dense"]) == "dense:UNITS[:initializer=...][:gain=1]"
