"""The command line of predict_task.py."""

import pytest

from nn.cli.predict_options import parse
from nn.core.errors import UsageError


def test_the_words_are_read():
    options = parse(
        [
            "model.npz",
            "rows.csv",
            "out",
            "--label-column",
            "-1",
            "--keep",
            "a,b",
            "--top",
            "3",
            "--bad-rows",
            "null",
        ]
    )
    assert (options.model, options.input, options.output) == ("model.npz", "rows.csv", "out")
    assert (options.label_column, options.keep, options.top, options.bad_rows) == (-1, ("a", "b"), 3, "null")
    assert (
        options.source(4).argument("IMAGES") == "INPUT" and options.source(4).argument("LABELS") == "LABELS"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("model.npz rows.csv", "the following arguments are required: OUTPUT; --help lists the options"),
        ("m r o --top 0", "--top: expected a whole number of at least 1, found '0'"),
        ("m r o --output-format xml", "--output-format: expected "),
        ("m r o --bad-rows drop", "--bad-rows: expected "),
        ("m r o --labels y --label-column 0", "--labels and --label-column exclude each other"),
        ("m r o --epochs 3", "unrecognized arguments: --epochs 3"),
        ("m r o --layer 0", "--layer: expected the number of a layer, from 1, or its name, found '0'"),
        ("m r o --layer 2 --top 1", "--layer and --top exclude each other"),
        ("m r o --layer relu --probabilities", "--layer and --probabilities exclude each other"),
        ("m r o --layer 2 --labels y", "--layer and --labels exclude each other"),
        ("m r o --layer 2 --label-column 0", "--drop-columns leaves out a column of labels"),
        ("m r o --check --dry-run", "--check and --dry-run exclude each other"),
    ],
)
def test_wrong_words_are_one_line(words, message):
    with pytest.raises(UsageError) as error:
        parse(words.split())
    assert message in str(error.value)


def test_help_and_version_end_the_program(capsys):
    for word in ("--help", "--version"):
        with pytest.raises(SystemExit) as end:
            parse([word])
        assert end.value.code == 0
    assert "predict_task.py MODEL INPUT OUTPUT" in " ".join(capsys.readouterr().out.split())


def test_a_layer_is_a_number_or_a_name_and_what_changes_no_result_is_not_kept():
    options = parse(["m", "r", "o", "--layer", "2", "--dry-run", "--overwrite"])
    assert options.layer == 2 and options.as_json()["layer"] == 2
    assert not {"dry_run", "check", "overwrite", "debug"} & set(options.as_json())
    assert parse(["m", "r", "o", "--layer", "dense:64"]).layer == "dense:64"
