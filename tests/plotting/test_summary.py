"""What summary.json says only in newer runs: the epoch whose weights were kept, and the shape of an input."""

import pytest

from nn.plotting.results import read_summary
from tests.support.result_files import SUMMARY, message, write_summary


def with_keys(**keys):
    return {**SUMMARY, **keys}


@pytest.mark.parametrize(
    ("train", "best"),
    [({}, None), ({"best_epoch": None}, None), ({"best_epoch": 17}, 17), ({"best_epoch": True}, None),
     ({"best_epoch": 2.5}, None), ({"best_epoch": "3"}, None)],
)  # fmt: skip
def test_read_summary_takes_the_epoch_whose_weights_were_kept_where_there_is_one(tmp_path, train, best):
    assert read_summary(write_summary(tmp_path, with_keys(train=train))).best_epoch is best
    assert read_summary(write_summary(tmp_path, SUMMARY)).best_epoch is None


def test_read_summary_takes_the_input_shape_where_a_model_is_described(tmp_path):
    assert read_summary(write_summary(tmp_path, SUMMARY)).input_shape is None
    path = write_summary(tmp_path, with_keys(model={"input_shape": [32, 32, 3]}))
    assert read_summary(path).input_shape == (32, 32, 3)
    expected = "expected a whole number from 1 at ['model']['input_shape'][1], found '0'"
    path = write_summary(tmp_path, with_keys(model={"input_shape": [32, 0]}))
    assert expected in message(read_summary, path)
