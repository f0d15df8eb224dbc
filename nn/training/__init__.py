"""The epoch loop: the chain of map stages, replicas, recipes, evaluation, training in memory."""
