# SPDX-License-Identifier: Apache-2.0
"""What is on offer and what is booked, changed at once: decided on one generation or the other."""

import contextlib
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from werkzeug.test import Client

from promise_blazar import deadline, exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.adjustments import AdjustmentRequest
from promise_blazar.manager.contract.messages import HostRequest
from promise_blazar.manager.ledger import replica, supplying
from promise_blazar.manager.ledger.deciding import Decisions
from promise_blazar.manager.rpc import wire
from promise_blazar.manager.rpc.client import _Remote
from promise_blazar.tests import base, databases
from promise_blazar.tests.functional.adjusting import ADMIN, SLOT, AdjustingCase
from promise_blazar.tests.functional.base import HOST, configuration, sync
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.processes import ManagerProcess
from promise_blazar.tests.functional.concurrency.worker import ALICE
from promise_blazar.tests.functional.test_twins import Bus

THREADS = 16  # in each of the two processes
HOSTS = 4
WINDOW = {"start": "2035-01-01 00:00", "end": "2035-01-01 01:00"}
#: Nobody dies here, and the machine may be slow.
OPTIONS = {"manager__poll_interval": 0.1, "manager__ownership_seconds": 120}


@databases.on_each_database
class TestTwoManagers(AdjustingCase):
    def setUp(self):
        super().setUp()
        self.other = self.manager()
        self.theirs = self.application(self.other)

    def once_judged(self, step):
        """Lets others do something between a judgement and its commit."""
        judged, left = supplying.judged, [step]

        def late(*arguments):
            judgement = judged(*arguments)
            if left:
                left.pop()()
            return judgement

        return mock.patch.object(supplying, "judged", late)

    def their_lease(self, amount):
        mine, self.api.application = self.api.application, self.theirs
        lease = self.lease({**SLOT, "amount": amount}, start=self.minute(30))
        self.api.application = mine
        return lease

    def test_the_other_manager_sees_it_at_once(self):
        self.assertEqual((96, 0, 96), self.figures(manager=self.other))
        made = self.adjust(VCPU=-90)
        self.assertEqual((6, 0, 6), self.figures(manager=self.other))
        self.api.application = self.theirs
        self.refuses(SLOT)
        self.take_back(made)
        self.lease(SLOT)
        self.conflict(self.adjust, VCPU=-90)
        self.conflict(self.adjust, VCPU=-90, manager=self.other)

    def test_a_lease_that_comes_before_the_commit_is_reckoned_with(self):
        with self.once_judged(lambda: self.their_lease(11)):
            self.conflict(self.adjust, VCPU=-16)
        self.assertEqual([], self.adjustments())
        with self.once_judged(lambda: self.their_lease(1)):
            self.conflict(self.adjust, VCPU=-1)

    def test_where_others_never_pause_it_is_decided_while_they_cannot(self):
        judged, waiting = supplying.judged, [1, 1, 1]

        def late(*arguments):
            judgement = judged(*arguments)
            if waiting:
                self.their_lease(waiting.pop())
            return judgement

        with mock.patch.object(supplying, "judged", late):
            self.adjust(VCPU=-72)
        self.assertEqual((24, 24, 0), self.figures(start=self.minute(30)))

    def test_a_lease_that_was_planned_before_it_is_planned_anew(self):
        quickly, left = Decisions._quickly, [1]  # noqa: SLF001

        def late(*arguments):
            plan = quickly(*arguments)
            if left:
                left.pop()
                self.adjust(VCPU=-90, manager=self.other)
            return plan

        with mock.patch.object(Decisions, "_quickly", late):
            self.refuses(SLOT)
        self.assertEqual((6, 0, 6), self.figures())

    @contextlib.contextmanager
    def deaf(self):
        """The answer to my next commit is lost."""
        writer, left = Database.writer, [self.service._database]  # noqa: SLF001

        @contextlib.contextmanager
        def lost(database):
            with writer(database) as connection:
                yield connection
            if database in left:
                left.clear()
                raise exceptions.Unavailable(what="database")

        with mock.patch.object(Database, "writer", lost):
            yield

    def test_a_commit_whose_answer_is_lost_is_looked_for(self):
        lease = self.lease({**SLOT, "amount": 4})
        (broken,) = [each["id"] for each in lease["reservations"]]
        with self.deaf():
            made = self.adjust(VCPU=-70, force=True)
        self.assertEqual((broken,), made.affected)
        self.assertEqual([made.id], [each.id for each in self.adjustments()])
        with self.deaf():
            self.take_back(made)
        self.assertEqual([], self.adjustments())

    def test_past_the_deadline_nothing_is_committed(self):
        made = self.adjust(VCPU=-1)
        with self.no_adjustment_changes(), deadline.within(-1, self.clock):
            self.assertRaises(exceptions.Unavailable, self.adjust, VCPU=-1)
            self.assertRaises(exceptions.Unavailable, self.take_back, made)

    def test_the_same_message_twice_makes_one(self):
        chosen = self.new_id()
        made = self.adjust(VCPU=-1, id=chosen)
        self.assertEqual(chosen, made.id)
        self.assertEqual(made, self.adjust(VCPU=-1, id=chosen, manager=self.other))
        self.take_back(made)
        self.assertRaises(exceptions.Conflict, self.adjust, VCPU=-1, id=chosen)
        self.assertEqual([], self.adjustments())

    def test_7_whose_reservations_are_is_known_before_it_matters(self):
        for _ in range(3):
            self.lease(SLOT)
        source = self.adjust(INSTANCE=8)
        self.assertEqual((8, 3, 5), self.figures("INSTANCE", self.other))
        self.other.ledger.keep_up()
        owners, waited = replica.owners, []

        def watched(connection, reservations):
            turns = [each.ledger.access._turn for each in (self.service, self.other)]  # noqa: SLF001
            waited.append((any(turn.locked() for turn in turns), len(reservations)))
            return owners(connection, reservations)

        with mock.patch.object(replica, "owners", watched):
            self.adjust(INSTANCE=4, source=source.id, project_ids=("demo",))
            self.assertEqual([(False, 3)], waited)
            for manager in (self.service, self.other):
                found = self.figures("INSTANCE", manager, project_id="other")
                self.assertEqual((4, 0, 4), found)
        self.assertEqual([(False, 3)], waited)

    def test_22_the_same_message_twice_takes_back_once(self):
        made = self.adjust(VCPU=-1)
        message = self.new_id()
        for manager in (self.service, self.other):
            told = manager.delete_adjustment(ADMIN, made.id, message=message)
            self.assertEqual(0, told.count)
        self.assertRaises(exceptions.NotFound, self.take_back, made)
        again = self.new_id()
        for _ in range(2):
            self.assertRaises(exceptions.NotFound, self.take_back, made, message=again)

    def test_22_whom_it_affected_is_told_twice(self):
        more = self.adjust(INSTANCE=2)
        self.adjust(INSTANCE=1)
        lease = self.lease({**SLOT, "amount": 3})
        (broken,) = [each["id"] for each in lease["reservations"]]
        message = self.new_id()
        for manager in (self.service, self.other):
            told = manager.delete_adjustment(ADMIN, more.id, force=True, message=message)
            self.assertEqual(((broken,), 1), (told.reservations, told.count))

    def test_22_the_twin_of_one_that_was_refused_takes_nothing_back(self):
        more = self.adjust(INSTANCE=2)
        self.adjust(INSTANCE=1)
        lease = self.lease({**SLOT, "amount": 3})
        message = self.new_id()
        self.conflict(self.take_back, more, message=message)
        self.delete(lease)
        self.assertRaises(exceptions.Conflict, self.take_back, more, message=message)
        self.assertEqual(2, len(self.adjustments()))
        self.take_back(more)

    def test_the_twin_of_one_that_was_refused_makes_none(self):
        lease = self.lease({**SLOT, "amount": 12}, start=self.minute(30))
        chosen = self.new_id()
        self.conflict(self.adjust, VCPU=-1, id=chosen)
        self.delete(lease)
        self.assertRaises(exceptions.Conflict, self.adjust, VCPU=-1, id=chosen)
        self.adjust(VCPU=-1)

    def test_the_same_key_twice_makes_one(self):
        made = self.adjust("k", VCPU=-1)
        self.assertEqual(made, self.adjust("k", VCPU=-1, manager=self.other))
        self.assertRaises(exceptions.KeyReused, self.adjust, "k", VCPU=-2)
        self.assertRaises(exceptions.KeyReused, self.adjust, "k", True, VCPU=-2)
        self.assertEqual([made], self.adjustments())

    def test_two_that_take_one_back_do_it_once(self):
        made = self.adjust(VCPU=-1)
        with self.once_judged(lambda: self.other.delete_adjustment(ADMIN, made.id)):
            self.assertRaises(exceptions.NotFound, self.take_back, made)
        self.assertEqual((96, 0, 96), self.figures())


@databases.on_each_database
class TestRaces(base.DatabaseTestCase):
    """32 threads in two processes book what a third takes off the offer."""

    prepare = staticmethod(sync)

    def setUp(self):
        super().setUp()
        cloud_file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "cloud.sqlite"
        cloud = SimulatedCloud(cloud_file, HOSTS)
        self.addCleanup(cloud.close)
        self.observer = composition.manager(
            configuration(), Database(self.url), cloud, SystemClock()
        )
        self.observer.heartbeat.register()
        self.addCleanup(self.observer.stop)
        for number in range(HOSTS):
            self.observer.create_host(ALICE, HostRequest(f"compute-{number + 1}", {}))
        self.managers = [ManagerProcess(self.url, cloud_file, **OPTIONS) for _ in range(2)]
        for manager in self.managers:
            self.addCleanup(manager.stop)

    def test_what_is_withdrawn_is_not_sold_nor_the_other_way_round(self):
        for manager in self.managers:
            manager.order("race", threads=THREADS, values=SLOT, **WINDOW)
        withdrawn = 0
        for _ in range(4):
            with contextlib.suppress(exceptions.AdjustmentConflict, exceptions.Busy):
                self.observer.create_adjustment(ADMIN, AdjustmentRequest({"VCPU": -8}, **WINDOW))
                withdrawn += 1
        answers = [answer for manager in self.managers for answer in manager.answer()]
        counted = Counter(answer for answer, _, _ in answers)
        # Sixteen slots of 8 VCPU are there; who was late got nothing.
        self.assertEqual(16, counted["sold"] + withdrawn, counted)
        self.assertEqual(2 * THREADS, counted["sold"] + counted["refused"], counted)
        self.assertEqual([], audit.faults(self.url))
        self.assertEqual([[], []], [manager.ask("strayed") for manager in self.managers])


@databases.on_each_database
class TestMessages(AdjustingCase):
    """Over the bus: what arrives twice, and managers that know nothing of it."""

    def setUp(self):
        super().setUp()
        self.other = self.manager()
        self.bus = Bus(self.service)
        self.api = Client(self.application(_Remote(self.bus, self.clock)))

    def asked(self, verb, path="", body=None):
        path = f"/v1/capacity/adjustments{path}"
        return self.call(verb, path, body, "admin:admin")

    def again(self):
        """The last message that changes anything, as the broker hands it to another manager."""
        ctxt, message = next(
            each
            for each in reversed(self.bus.sent)
            if each[1]["method"] in ("create_adjustment", "delete_adjustment")
        )
        return self.bus.deliver(self.other, ctxt, message)

    def test_d4_a_message_that_arrives_twice_makes_one(self):
        made = self.asked("POST", body={"resources": {"VCPU": -8}})
        self.assertEqual(201, made.status_code, made.text)
        twin = wire.decode_answer("create_adjustment", self.again()["answer"])
        self.assertEqual(made.json["id"], twin.id)
        self.assertEqual([twin.id], [each.id for each in self.adjustments()])
        self.assertEqual(204, self.asked("DELETE", f"/{twin.id}").status_code)
        told = wire.decode_answer("delete_adjustment", self.again()["answer"])
        self.assertEqual(0, told.count)
        self.assertEqual(404, self.asked("DELETE", f"/{twin.id}").status_code)
        self.assertEqual("not-found", self.again()["error"]["code"])

    def test_a_manager_of_the_release_before_is_not_asked(self):
        self.sql("UPDATE managers SET rpc_version = '1.1'")
        for verb, path, body in (
            ("POST", "/capacity/adjustments", {"resources": {"VCPU": -8}}),
            ("GET", "/capacity", None),
            ("POST", "/availability", {"reservations": [HOST], "duration": 60}),
        ):
            answer = self.call(verb, f"/v1{path}", body, "admin:admin")
            self.assertEqual(503, answer.status_code, answer.text)
            self.assertIn("Not yet", answer.json["detail"])
        self.lease(SLOT)
