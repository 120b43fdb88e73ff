# SPDX-License-Identifier: Apache-2.0
"""What is shown of a lease that another manager removes in the middle of a look?"""

import sqlalchemy

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.concurrency.test_work_ownership import TwoManagers


@databases.on_each_database
class TestListing(TwoManagers):
    hosts = registered = 2

    def removed_before(self, table, look):
        """The answer to a look, and a lease that is gone before its statement about a table."""
        lease = self.lease(HOST, start=self.minute(5))
        left = [lease["id"]]

        def remove(connection, cursor, statement, *_):
            if left and f"FROM {table}" in statement:
                self.rival.delete_lease(None, left.pop())
                self.rival.engine.run_due()

        sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", remove)
        try:
            return look(lease)
        finally:
            sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", remove)
            self.assertEqual([], left)

    def test_a_lease_that_is_removed_while_all_are_listed_breaks_nothing(self):
        kept = self.lease(HOST, start=self.minute(5))
        for table in ("reservations", "host_reservations", "events"):
            answer = self.removed_before(table, lambda _: self.call("GET", "/v1/leases"))
            self.assertEqual(200, answer.status_code, answer.text)
            shown = [lease for lease in answer.json["leases"] if lease["id"] == kept["id"]]
            self.assertEqual([kept["id"]], [lease["id"] for lease in shown])
            # SQLite shows all as it was when the look began.
            self.assertEqual([], [x for x in answer.json["leases"] if not x["reservations"]])

    def test_a_lease_that_is_removed_while_it_is_shown_was_there_or_was_not(self):
        for table in ("reservations", "host_reservations", "events"):
            answer = self.removed_before(
                table, lambda lease: self.call("GET", f"/v1/leases/{lease['id']}")
            )
            expected = 200 if self.database == "sqlite" else 404
            self.assertEqual(expected, answer.status_code, answer.text)
