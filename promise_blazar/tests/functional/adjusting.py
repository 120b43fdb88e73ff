# SPDX-License-Identifier: Apache-2.0
"""What the tests of adjustments, and of questions about what is on offer, share."""

import contextlib
import hashlib
import uuid

import sqlalchemy
from sqlalchemy import pool

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.adjustments import AdjustmentRequest, AdjustmentSelection
from promise_blazar.manager.contract.messages import IdempotencyKey
from promise_blazar.manager.contract.questions import CapacityQuestion
from promise_blazar.tests.functional.base import INSTANCE, ServiceTestCase

ADMIN = RequestContext("admin", "admin", "req-1", is_admin=True)
ALICE = RequestContext("alice", "demo", "req-2")
#: A slot of a quarter of a host's VCPUs.
SLOT = {**INSTANCE, "amount": 1, "vcpus": 8, "memory_mb": 1024, "disk_gb": 1}
ALL = AdjustmentSelection()


class AdjustingCase(ServiceTestCase):
    """Three hosts of 32 VCPU each."""

    def adjust(self, key=None, dry_run=False, manager=None, **wanted):
        """An adjustment that is made; ``VCPU=-8`` and the like are its resources."""
        resources = {name: wanted.pop(name) for name in [*wanted] if name.isupper()}
        request = AdjustmentRequest(resources, **wanted)
        found = None if key is None else IdempotencyKey(key, _digest(request))
        return (manager or self.service).create_adjustment(ADMIN, request, found, dry_run)

    def conflict(self, work, *arguments, **named):
        """The error of what conflicts with the world."""
        return self.assertRaises(exceptions.AdjustmentConflict, work, *arguments, **named)

    def bad(self, word, **wanted):
        error = self.assertRaises(exceptions.BadInput, self.adjust, **wanted)
        self.assertIn(word, error.message)

    def take_back(self, adjustment, **how):
        return self.service.delete_adjustment(ADMIN, adjustment.id, **how)

    def adjustments(self, **selected):
        selection = AdjustmentSelection(**selected)
        return list(self.service.list_adjustments(ADMIN, selection).adjustments)

    def figures(self, name="VCPU", manager=None, **asked):
        """Total, reserved and available of a class, now or in a window."""
        question = CapacityQuestion(resource_classes=(name,), **asked)
        answer = (manager or self.service).capacity(ADMIN, question)
        found = answer.capacity[name]
        return found.total, found.reserved, found.available - found.shortfall

    def refuses(self, *reservations, **more):
        """The sentence of the refusal of a lease."""
        return self.refused(409, self.call("POST", "/v1/leases", self.body(*reservations, **more)))

    def sql(self, statement):
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        with engine.begin() as connection:
            return connection.exec_driver_sql(statement)

    @contextlib.contextmanager
    def no_adjustment_changes(self):
        """A block after which all is as before, the generation too."""
        before = self.adjustments(), self.rows("adjustments"), self.rows("generations")
        with self.nothing_changes():
            yield
        after = self.adjustments(), self.rows("adjustments"), self.rows("generations")
        self.assertEqual(before, after)

    def rows(self, table):
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        with engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
        return sorted(map(repr, found))

    def database_of(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        return database

    @staticmethod
    def new_id():
        return str(uuid.uuid4())


def _digest(request):
    return hashlib.sha256(repr(request).encode()).hexdigest()
