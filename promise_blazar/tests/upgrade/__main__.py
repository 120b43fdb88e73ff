# SPDX-License-Identifier: Apache-2.0
"""An earlier release and this one side by side, over a real message broker::

    python -m promise_blazar.tests.upgrade

Ends with 0 when all that has to work does; with 2, and the reason, when it could not be tried:
the clone's history lacks the release, or RabbitMQ is not installed.
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

from promise_blazar.tests.upgrade import broker, dumps, mixed, releases


def main() -> int:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        # Short: a socket's name has to fit, and all that is in here goes.
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="promise-blazar-upgrade-"))
        )
        try:
            old = releases.earlier(dumps.FIRST, directory)
        except releases.NotInThisClone as error:
            return not_run(f"this clone lacks that commit (git fetch --unshallow): {error}")
        if not broker.installed():
            return not_run("RabbitMQ is not installed (on Debian: rabbitmq-server)")
        url = stack.enter_context(broker.running(directory))
        site = releases.Site(directory, url, stack)
        try:
            mixed.upgrade(old, releases.this(), site)
        except (AssertionError, OSError) as error:
            print(f"{site.logs()}\nFAILED  {error}")
            return 1
    print(f"{dumps.FIRST} and this release get along, {time.monotonic() - began:.0f} s")
    return 0


def not_run(why: str) -> int:
    print(f"NOT RUN  {dumps.FIRST} and this release side by side: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
