"""The two errors of data sets: the data are wrong, or they could not be downloaded."""


class DataError(ValueError):
    """The data are not as expected."""


class DownloadError(OSError):
    """The data could not be downloaded: no network, no answer, no such page."""
