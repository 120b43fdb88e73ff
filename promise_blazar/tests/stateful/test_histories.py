# SPDX-License-Identifier: Apache-2.0
"""Random histories: each time the same few here; as many others as wanted by ``__main__``."""

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from promise_blazar.tests import base
from promise_blazar.tests.stateful.machine import Histories
from promise_blazar.tests.stateful.replay import QUIET

#: The same each time; one that fails is printed as it is, since to make it small takes minutes.
FEW = settings(
    QUIET,
    max_examples=7,
    stateful_step_count=12,
    derandomize=True,
    phases=(Phase.generate,),
)


class TestHistories(base.TestCase):
    def test_the_invariants_hold(self):
        run_state_machine_as_test(Histories, settings=FEW)
