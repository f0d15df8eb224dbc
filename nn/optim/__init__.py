"""Optimizers: update rules, schedules, first-order descent, averaged parameters, L-BFGS."""

from nn.optim.contract import check_rule
from nn.optim.rules import RULES, Rule

__all__ = ["RULES", "Rule", "check_rule"]
