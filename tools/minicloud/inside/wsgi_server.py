# SPDX-License-Identifier: Apache-2.0
"""Serve one OpenStack WSGI application from a single process with threads.

Usage: wsgi_server.py MODULE PORT THREADS

MODULE is imported and its ``application`` is served on 127.0.0.1:PORT.

Several services parse sys.argv when their WSGI module is imported, so the
arguments meant for this script are taken out of sys.argv first.
"""

import importlib
import sys


def main():
    module, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sys.argv = [module]
    # The application first: nova chooses its concurrency backend while it is
    # being imported, and wants to do so before anything else is loaded.
    application = importlib.import_module(module).application

    import waitress

    waitress.serve(
        application,
        host="127.0.0.1",
        port=port,
        threads=threads,
        connection_limit=1000,
        ident=None,
        channel_timeout=3600,
    )


if __name__ == "__main__":
    main()
