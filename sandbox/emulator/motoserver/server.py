"""moto's server as the sandbox runs it.

Started as `python server.py FD`: FD is a listening socket that the parent
opened. The process ends when its standard input does, so that it never outlives
a parent that was killed.
"""

import importlib
import logging
import os
import pathlib
import sys
import threading
import traceback

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


def fill_gaps():
    """Imports every gaps_*.py beside this file, which is what fills the gaps."""
    here = pathlib.Path(__file__).parent
    sys.path.insert(0, str(here))
    for gaps in sorted(here.glob("gaps_*.py")):
        importlib.import_module(gaps.stem)


def end_with_parent():
    """Waits for the parent to go away, however it went."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


class OneAtATime:
    """moto's state is plain Python objects without locks: two calls at once can
    end in "dictionary changed size during iteration". The interpreter runs one
    thread at a time anyway, so a lock costs nothing. SQS is left out because its
    long polls would hold the lock for seconds."""

    def __init__(self, app):
        self.app = app
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        if "/sqs/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
            return self.app(environ, start_response)
        with self.lock:
            return self.app(environ, start_response)


class Faults:
    """Answers a Python exception with status 500 and the traceback's last line,
    which the endpoint in front turns into an AWS error. The whole traceback goes
    to standard error, which is moto's log."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        try:
            return self.app(environ, start_response)
        except Exception as fault:
            traceback.print_exc()
            last = traceback.format_exception_only(fault)[-1].strip()
            body = last.encode()
            headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
            ]
            start_response("500 Internal Server Error", headers)
            return [body]


def main():
    fill_gaps()
    threading.Thread(target=end_with_parent, daemon=True).start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app = Faults(OneAtATime(DomainDispatcherApplication(create_backend_app)))
    server = make_server(
        "127.0.0.1",
        0,
        app,
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=int(sys.argv[1]),
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
