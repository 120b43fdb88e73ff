# SPDX-License-Identifier: Apache-2.0
"""Kill, or else, at every point, or at some; the exit status says whether all were survived."""

import argparse
import itertools
import logging
import sys
import time

from promise_blazar.tests.crash import failovers, kills, pauses
from promise_blazar.tests.crash.catalogue import OPERATIONS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m promise_blazar.tests.crash")
    parser.add_argument("operations", nargs="*", help=f"of {', '.join(OPERATIONS)}; else all")
    parser.add_argument("--every", type=int, default=1, help="only each such point")
    parser.add_argument("--pause", action="store_true", help="suspend and wake instead of kill")
    parser.add_argument("--fail-over", action="store_true", help="let the database go back")
    parser.add_argument("--verbose", action="store_true", help="name each point")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    kills.warm_up()
    began, turns = time.monotonic(), itertools.count(1)
    count = wrong = 0
    for name in arguments.operations or OPERATIONS:
        if (arguments.pause or arguments.fail_over) and not pauses.suspended(name):
            continue
        with kills.scratch() as directory:
            prepared = kills.prepare(name, directory)
            outside = arguments.pause or arguments.fail_over
            points = (pauses.sleepy if outside else kills.deadly)(prepared.points)
            tried = [point for point in points if next(turns) % arguments.every == 0]
            bad = 0
            for number, point in enumerate(tried):
                if arguments.fail_over:
                    lost = failovers.lost_at(number)
                    how, found = f"{lost} lost", failovers.fail_over(prepared, point, lost)
                elif arguments.pause:
                    how, found = "overtaken", pauses.overtake(prepared, point)
                else:
                    # Before and after a point in turn by the one and by the other.
                    how = kills.HEIRS[(number + number // 2) % 2]
                    found = kills.survive(prepared, point, how)
                bad += bool(found)
                if found or arguments.verbose:
                    print(f"{name}, {point}, {how}:", *(found or ["survived"]), sep="\n  ")
        commits = sum(point.commit for point in points)
        print(
            f"{name:<16}{len(points):4} points ({commits} at commits, {len(points) - commits} at"
            f" calls), {len(tried)} tried, {len(tried) - bad} survived",
            flush=True,
        )
        count, wrong = count + len(tried), wrong + bad
    print(f"{count - wrong} of {count} survived, {time.monotonic() - began:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
