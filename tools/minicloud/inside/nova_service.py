# SPDX-License-Identifier: Apache-2.0
"""Run a nova service that reports for duty as soon as it has started.

Usage: nova_service.py NAME [ARGUMENTS of nova-NAME]

Nova waits five seconds before the first report, which is what tells the
others (and minicloud) that the service is up.
"""

import importlib
import sys


def main():
    name = sys.argv[1]
    sys.argv = ["nova-" + name, *sys.argv[2:]]
    # The service's own module first: nova chooses its concurrency backend
    # while it is being imported.
    service = importlib.import_module("nova.cmd." + name)
    import nova.servicegroup.api

    nova.servicegroup.api.INITIAL_REPORTING_DELAY = 0
    service.main()


if __name__ == "__main__":
    main()
