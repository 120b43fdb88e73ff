# SPDX-License-Identifier: Apache-2.0
"""Many random histories::

    python -m promise_blazar.tests.stateful [--examples N] [--steps N] [--seed N]

Prints the seed first; the same seed gives the same histories again. A history that breaks an
invariant is made as small as it can be, and printed step by step.
"""

import argparse
import logging
import random
import sys
import time

from hypothesis import seed, settings
from hypothesis.stateful import get_state_machine_test

from promise_blazar.tests.stateful.machine import Histories
from promise_blazar.tests.stateful.replay import QUIET


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m promise_blazar.tests.stateful")
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    chosen = random.randrange(2**32) if options.seed is None else options.seed
    print(f"{options.examples} histories of {options.steps} steps, --seed {chosen}", flush=True)
    logging.disable(logging.CRITICAL)  # failures are what it is about
    many = settings(QUIET, max_examples=options.examples, stateful_step_count=options.steps)
    began = time.monotonic()
    seed(chosen)(get_state_machine_test(Histories, settings=many))()
    print(f"no invariant was broken in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
