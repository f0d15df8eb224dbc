"""On YARN: the same model as in local[2], with the driver here or in a container, whatever is killed meanwhile."""

import pytest

from tests.clusters import jobs

pytestmark = [pytest.mark.spark, pytest.mark.clusters("yarn")]


@pytest.mark.parametrize(("mode", "averaging"), [("client", "gradients"), ("cluster", "parameters")])
def test_a_run_on_yarn_gives_the_model_of_a_local_run(hadoop, inputs, local_model, tmp_path, mode, averaging):
    out = f"out/{mode}"
    place = jobs.on_yarn(hadoop, mode, tmp_path)
    done = place.run(tmp_path, *inputs(hadoop), f"{hadoop.url}/{out}", *jobs.AVERAGINGS[averaging])
    assert done.returncode == 0, done.stdout[-3000:]
    assert hadoop.get(f"{out}/model.npz") == local_model(averaging)
    assert f"{out}/_RUNNING" not in hadoop.names(out)
