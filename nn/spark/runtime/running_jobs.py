"""How far the Spark jobs of this program are: tasks that have ended, of all tasks of the jobs that run now."""

from __future__ import annotations

from typing import Any, NamedTuple


class Running(NamedTuple):
    """The jobs that run now, by their numbers, and their tasks."""

    jobs: tuple[int, ...]
    ended: int
    tasks: int


def running(context: Any) -> Running:
    """Return how far the running jobs are, by Spark's status tracker."""
    tracker = context.statusTracker()
    jobs = tuple(sorted(tracker.getActiveJobsIds()))
    infos = [info for job in jobs if (info := tracker.getJobInfo(job)) is not None]
    stages = [tracker.getStageInfo(stage) for info in infos for stage in info.stageIds]
    known = [stage for stage in stages if stage is not None]
    return Running(jobs, sum(s.numCompletedTasks for s in known), sum(s.numTasks for s in known))
