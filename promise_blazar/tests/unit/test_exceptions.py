# SPDX-License-Identifier: Apache-2.0
"""Errors cross the bus as what they are."""

from promise_blazar import exceptions
from promise_blazar.tests import base


class Refined(exceptions.CloudUnavailable):
    """Somebody's private kind of an error, with its code."""


class TestWire(base.TestCase):
    def test_an_error_arrives_as_the_kind_that_has_its_code(self):
        for sent in (
            exceptions.CloudUnavailable(call="c", detail="d"),
            Refined(call="c", detail="d"),
            exceptions.NotEnoughHosts("no", reasons=[{"check": "busy"}]),
        ):
            arrived = exceptions.from_wire(sent.to_wire())
            kind = exceptions.CloudUnavailable if isinstance(sent, Refined) else type(sent)
            self.assertIs(kind, type(arrived))
            self.assertEqual((sent.message, sent.facts), (arrived.message, arrived.facts))

    def test_an_error_of_a_newer_peer_is_still_an_error(self):
        wire = {"code": "of-tomorrow", "message": "said so", "facts": {"x": 1}}
        arrived = exceptions.from_wire(wire)
        self.assertIs(exceptions.PromiseBlazarError, type(arrived))
        self.assertEqual("said so", arrived.message)
