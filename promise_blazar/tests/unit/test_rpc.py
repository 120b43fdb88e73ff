# SPDX-License-Identifier: Apache-2.0
"""Both ends of a bus that fails; with a bus that answers, the commands are the test."""

import kombu.exceptions
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.conf import opts
from promise_blazar.context import RequestContext
from promise_blazar.manager import rpc
from promise_blazar.manager.rpc.client import _Remote
from promise_blazar.manager.service import ManagerService
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
                manager = _Remote(Bus(error), SystemClock())
                caught = self.assertRaises(exceptions.Unavailable, manager.list_leases, CONTEXT)
                self.assertIs(error, caught.__cause__)


class TestServer(base.TestCase):
    def prefetch(self, words):
        text = f"[DEFAULT]\ntransport_url = rabbit://nobody@127.0.0.1:1/\n{words}"
        conf = cfg.ConfigOpts()
        opts.register(conf)
        conf([f"--config-file={self.create_tempfiles([('manager', text)])[0]}"], project="test")
        rpc.server(conf, ManagerService, "me")
        return conf.oslo_messaging_rabbit.rabbit_qos_prefetch_count

    def test_a_manager_that_stands_still_is_handed_one_request(self):
        self.assertEqual(1, self.prefetch(""))

    def test_an_operator_may_say_otherwise(self):
        words = "[oslo_messaging_rabbit]\nrabbit_qos_prefetch_count = 9\n"
        self.assertEqual(9, self.prefetch(words))
