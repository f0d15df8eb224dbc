"""The two ways in which data can fail: what came is wrong, or nothing came."""


class DataError(ValueError):
    """The data is there, but it is not what it should be."""


class DownloadError(OSError):
    """The data could not be had: no network, no answer, no such page."""
