"""When training to a tolerance has converged, as Spark's perceptron decides it."""

import numpy as np

from nn.optim.lbfgs import LBFGS, Accepted
from nn.training.convergence import StopDescent, StopLBFGS, never
from nn.training.records import Epoch, Progress


def lbfgs_at(costs, gradient=1.0, rejected=()):
    """A progress of l-bfgs with these costs."""
    params = [{"W": np.zeros(2, np.float32)}]
    state = LBFGS().init(params)
    grads = [{"W": np.array([gradient, 0.0], np.float32)}]
    lines = [Epoch(n, cost, 0.5, 1.0, n not in rejected, 4) for n, cost in enumerate(costs, 1)]
    return Progress(state._replace(accepted=Accepted(params, costs[-1], grads)), tuple(lines))


def test_l_bfgs_stops_after_the_steps_that_it_may_take():
    stop, first = StopLBFGS(0.0, 2), lbfgs_at([3.0])
    assert stop(first, lbfgs_at([3.0, 2.0])) == ""
    assert stop(first, lbfgs_at([3.0, 2.0, 1.0])) == "2 steps were taken"
    assert stop(first, lbfgs_at([3.0, 2.5, 2.0, 1.0], rejected=(2,))) == "2 steps were taken"
    assert stop(first, lbfgs_at([3.0, 2.0, 1.0], rejected=(3,))) == ""
    assert StopLBFGS(0.0, 0)(first, lbfgs_at([3.0])) == "0 steps were taken"


def test_l_bfgs_stops_where_twenty_steps_gain_little():
    stop, costs = StopLBFGS(1e-2, 100), [1.0, *np.linspace(0.5, 0.495, 20)]
    assert "20 steps lowered the cost" in stop(lbfgs_at([1.0]), lbfgs_at(costs))
    assert stop(lbfgs_at([1.0]), lbfgs_at(costs[:-1])) == ""
    assert stop(lbfgs_at([1.0]), lbfgs_at([1.0, *np.linspace(0.5, 0.48, 20)])) == ""


def test_l_bfgs_stops_where_the_gradient_is_small_beside_the_cost():
    stop = StopLBFGS(1e-3, 100)
    assert stop(lbfgs_at([1.0]), lbfgs_at([1.0, 0.5], gradient=4e-4)).startswith("the gradient is")
    assert stop(lbfgs_at([1.0]), lbfgs_at([1.0, 0.5], gradient=6e-4)) == ""


def test_descent_stops_where_a_step_is_small_beside_the_weights():
    def at(value):
        return Progress(LBFGS().init([{"W": np.array([value], np.float32)}]))

    stop = StopDescent(0.01)
    assert stop(at(10.0), at(10.05)).startswith("a step changed the weights by 0.05")
    assert stop(at(10.0), at(10.2)) == "" and stop(at(0.0), at(0.005)) and stop(at(0.0), at(0.02)) == ""
    assert StopDescent(0.0)(at(1.0), at(1.0)) == "" and never(at(1.0), at(1.0)) == ""
