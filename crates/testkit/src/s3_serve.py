"""Runs the S3 server with conditional requests one at a time.

It looks whether a key is there and then writes it, on a thread for each request: under load two creators of one key
may both find it absent. Real S3 decides that atomically, so here they take turns.
"""

import sys
import threading

from moto import server

turn = threading.Lock()


class TakingTurns(server.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ:
            with turn:
                return super().__call__(environ, start_response)
        return super().__call__(environ, start_response)


server.DomainDispatcherApplication = TakingTurns
server.main(sys.argv[1:])
