"""How parameters move: update rules, schedules, first-order descent, averaged parameters, L-BFGS."""
