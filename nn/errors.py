"""The ways a run can end early, each a class with its own exit code."""


class UserError(Exception):
    """What the user can mend: one line that says what, where, expected and found."""

    exit_code = 1


class UsageError(UserError):
    """Options that are unknown, out of range or exclude each other."""

    exit_code = 2


class DataError(UserError):
    """A file that is missing, malformed or does not fit the others."""

    exit_code = 3


class MissingFile(DataError):
    """A file or folder of the data that is not there."""


class EnvironmentFault(UserError):
    """A machine or cluster that cannot run the job: no Java, no Spark, a folder that cannot be written."""

    exit_code = 4


class OutputLost(EnvironmentFault):
    """OUTPUT belongs to another run now, which took this one for dead."""


class Terminated(KeyboardInterrupt):
    """The machine or its manager asks the program to end: SIGTERM."""


class Diverged(UserError):
    """Training left the finite numbers."""

    exit_code = 5


def advise(error: BaseException, advice: str) -> None:
    """Add to an error what whoever sees it pass knows to tell the user; the last one's advice counts."""
    error.advice = advice  # type: ignore[attr-defined]


def advice_of(error: BaseException) -> str:
    """What was added to an error; empty where nothing was."""
    return getattr(error, "advice", "")
