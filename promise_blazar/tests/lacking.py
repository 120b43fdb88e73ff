# SPDX-License-Identifier: Apache-2.0
"""Managers that lack something which others know: a resource type, or rules of deciding."""

import contextlib
from collections.abc import Iterator
from unittest import mock

from promise_blazar.db import jobs, providers, work_queue
from promise_blazar.manager import composition
from promise_blazar.manager.controllers import rules
from promise_blazar.model.manager import RULES
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests.examples.types import OURS

#: Every place that asks which rules this release knows.
_PLACES = (composition, jobs, providers, rules, work_queue)

WHOLE_HOSTS, SLOTS, THE_RULES = LACKS = ("physical:host", "virtual:instance", "rules")


def types_without(lacked: str) -> InstalledTypes:
    """Our own types but this one."""
    known = {name: kind for name, kind in OURS.classes.items() if name != lacked}
    return InstalledTypes(known, OURS.creatable & known.keys())


@contextlib.contextmanager
def lacking(lacked: str) -> Iterator[None]:
    """A block in which this process is such a manager, as far as rules go."""
    with contextlib.ExitStack() as stack:
        for place in _PLACES if lacked == THE_RULES else ():
            stack.enter_context(mock.patch.object(place, "RULES", RULES - 1))
        yield
