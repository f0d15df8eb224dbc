"""gcp-storage-emulator, with the body that Google's client expects of an answer "not found".

Without one, Google's Hadoop connector takes the answer for a failure of the service.
"""

import sys
from http import HTTPStatus

from gcp_storage_emulator import __main__, server
from gcp_storage_emulator.handlers.objects import NOT_FOUND

close = server.Response.close


def close_with_body(response):
    """Send the answer; one without a body gets it."""
    if response.status == HTTPStatus.NOT_FOUND and not response._content:
        response.json(NOT_FOUND)
    close(response)


if __name__ == "__main__":
    server.Response.close = close_with_body
    sys.exit(__main__.main(sys.argv[1:]))
