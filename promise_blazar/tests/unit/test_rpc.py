# SPDX-License-Identifier: Apache-2.0
"""What the API makes of a bus that fails; with a bus that answers, the commands are the test."""

import kombu.exceptions

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.manager.rpc.client import _Remote
from promise_blazar.tests import base

CONTEXT = RequestContext("alice", "demo", "req-1")


class Bus:
    """In place of oslo.messaging's client: its calls raise ``error``."""

    def __init__(self, error):
        self.error = error

    def prepare(self, **target):
        return self

    def call(self, ctxt, method, **arguments):
        raise self.error


class TestClient(base.TestCase):
    def test_a_connection_that_the_broker_refuses_is_unavailable_not_a_failure_of_ours(self):
        # What the driver raises when it has to make one more connection.
        for error in (
            kombu.exceptions.OperationalError("[Errno 111] Connection refused"),
            ConnectionResetError(),
        ):
            with self.subTest(error):
                manager = _Remote(Bus(error))
                caught = self.assertRaises(exceptions.Unavailable, manager.list_leases, CONTEXT)
                self.assertIs(error, caught.__cause__)
