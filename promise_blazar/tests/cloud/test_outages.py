# SPDX-License-Identifier: Apache-2.0
"""The message broker and the database are killed under load, and come back; nobody lends a hand.

One after the other, for some seconds. ``tox -e cloud-crash``: also both at once, for as long as
``CLOUD_OUTAGE_SECONDS`` says. ``CLOUD_CRASH_SEED`` repeats what the clients ask for.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable

from promise_blazar.tests.cloud import audit, load, outages, site, soundness
from promise_blazar.tests.cloud.asking import Asker
from promise_blazar.tests.cloud.base import LeaseTest
from promise_blazar.tests.cloud.managers import Managers

SEED = os.environ.get("CLOUD_CRASH_SEED") or str(time.time_ns())
LONG = float(os.environ.get("CLOUD_OUTAGE_SECONDS", "0"))
OUTAGES: list[tuple[float, *tuple[str, ...]]] = [(10.0, outages.BROKER), (10.0, outages.DATABASE)]
if LONG:
    OUTAGES.append((LONG, outages.BROKER, outages.DATABASE))
CLIENTS = 3
#: What a call brings about that OpenStack finished late is taken away by reconcile.
OPTIONS = """
[manager]
reconcile_interval = 15
"""
#: Seconds of peace before, between and after.
PEACE = 5


class OutageTest(LeaseTest):
    def test_what_was_promised_is_kept(self) -> None:
        soundness.say(f"CLOUD_CRASH_SEED={SEED}")
        managers = self.enterContext(Managers.instead(OPTIONS))
        api = outages.process(outages.API)
        outages.make_durable()
        with load.clients(CLIENTS, SEED) as clients:
            time.sleep(PEACE)  # the load's, not ours
            for seconds, *names in OUTAGES:
                outages.away(seconds, *names)
                time.sleep(PEACE)
            outages.openstack_is_back()
        # Nobody was started anew.
        self.assertEqual(api, outages.process(outages.API))
        site.eventually("the service is well", outages.healthy)
        self.assertEqual([True, True], [manager.runs() for manager in managers.alive])
        wishes = [wish for client in clients for wish in client.wishes]
        soundness.say(sum((client.answers for client in clients), Counter()))
        self.addCleanup(self.remove_all, wishes)
        load.ask_again(wishes)
        self.eventually_nothing("each lease is as it was promised", lambda: load.unsettled(wishes))
        self.eventually_nothing("nothing is amiss", soundness.faults)
        outages.each_serves(managers)
        self.remove_all(wishes)
        with contextlib.suppress(AssertionError):
            site.eventually("nothing is left", lambda: self.before == audit.look())
        self.assert_as_before()
        with soundness.next_tenant(len(self.hosts)):
            self.assertEqual([], soundness.faults())
        self.assert_as_before()

    def eventually_nothing(self, what: str, look: Callable[[], list[str]]) -> None:
        seen: list[str] = []

        def done() -> bool:
            seen[:] = look()
            return not seen

        try:
            site.eventually(what, done, outages.PATIENCE_SECONDS)
        except AssertionError as late:
            self.fail("\n".join([str(late), *seen]))

    def remove_all(self, wishes: list[load.Wish]) -> None:
        names = {wish.name for wish in wishes}
        asker = Asker("demo")
        ours = [lease["id"] for lease in asker.leases() if lease["name"] in names]
        for lease_id in ours:
            asker.insist("DELETE", f"/leases/{lease_id}")
        for lease_id in ours:
            soundness.remove(lease_id)
