# SPDX-License-Identifier: Apache-2.0
"""How soon is the work of a dead manager taken over?"""

from promise_blazar.tests.functional.base import ServiceTestCase


class TestTakeover(ServiceTestCase):
    registered = 0

    def test_the_heartbeat_that_finds_a_manager_dead_wakes_who_works(self):
        """Not the next turn of the engine, up to a heartbeat later."""
        woken = []
        other = self.manager()
        self.service.heartbeat.on_death(lambda: woken.append(self.service.heartbeat.dead()))
        for _ in range(12):
            self.service.heartbeat.beat()
            self.clock.advance(1)
        self.assertEqual([frozenset({other.heartbeat.id})], woken)

    def test_the_engine_is_who_is_woken(self):
        self.manager()
        engine = self.service.engine
        for _ in range(12):
            engine._wake.clear()  # noqa: SLF001 - what its sleeping thread waits for
            self.service.heartbeat.beat()
            if self.service.heartbeat.dead():
                break
            self.assertFalse(engine._wake.is_set())  # noqa: SLF001
            self.clock.advance(1)
        self.assertTrue(engine._wake.is_set())  # noqa: SLF001
