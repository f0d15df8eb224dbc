"""gcp-storage-emulator, with two things that Google's Hadoop connector relies on.

An answer "not found" has a body: without one the connector takes it for a failure of the service. And of two uploads
under the condition that there is no such object (ifGenerationMatch=0) only one succeeds.
"""

import sys
from http import HTTPStatus

from gcp_storage_emulator import __main__, server
from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers.objects import NOT_FOUND

FAILED = {"code": 412, "message": "Precondition Failed", "errors": [{"reason": "conditionNotMet"}]}
close = server.Response.close


def close_with_body(response):
    """Send an answer; "not found" gets its body."""
    if response.status == HTTPStatus.NOT_FOUND and not response._content:
        response.json(NOT_FOUND)
    close(response)


def on_condition(handle):
    """A handler that refuses to create what is there."""

    def handle_new(request, response, storage, *args, **kwargs):
        if request.query.get("ifGenerationMatch") == ["0"] and is_there(request, storage):
            response.status = HTTPStatus.PRECONDITION_FAILED
            response.json({"error": FAILED})
        else:
            handle(request, response, storage, *args, **kwargs)

    return handle_new


def is_there(request, storage):
    """Whether the object that the address of a request names exists; those of folders are named in the body."""
    try:
        storage.get_file_obj(request.params["bucket_name"], request.query.get("name", [""])[0])
    except NotFound:
        return False
    return True


if __name__ == "__main__":
    server.Response.close = close_with_body
    for pattern, handlers in server.HANDLERS:
        if "upload" in pattern:
            handlers.update({method: on_condition(handle) for method, handle in handlers.items()})
    sys.exit(__main__.main(sys.argv[1:]))
