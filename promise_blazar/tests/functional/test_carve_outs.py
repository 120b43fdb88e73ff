# SPDX-License-Identifier: Apache-2.0
"""What is set apart for projects: theirs alone, and no more than there is."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.adjusting import SLOT, AdjustingCase


@databases.on_each_database
class TestCarveOuts(AdjustingCase):
    def carve(self, source, *projects, **wanted):
        return self.adjust(source=source.id, project_ids=projects, **wanted)

    def test_what_is_set_apart_is_for_its_projects(self):
        source = self.adjust(INSTANCE=4)
        carved = self.carve(source, "demo", INSTANCE=3)
        self.assertEqual((source.id, ("demo",)), (carved.source, carved.project_ids))
        body = self.body({**SLOT, "amount": 2})
        self.refused(409, self.call("POST", "/v1/leases", body, "eve:other"))
        self.lease({**SLOT, "amount": 3})
        self.lease(SLOT, token="eve:other")
        self.refuses(SLOT)

    def test_whose_they_are_is_known_to_managers_that_come_later(self):
        self.lease({**SLOT, "amount": 3})
        source = self.adjust(INSTANCE=4)
        self.carve(source, "demo", INSTANCE=3)
        other = self.manager()
        self.api.application = self.application(other)
        self.lease(SLOT, token="eve:other")
        self.refuses(SLOT)

    def test_one_takes_after_its_source(self):
        source = self.adjust(VCPU=8, zone="nova", start=self.minute(10), end=self.minute(60))
        carved = self.carve(source, "demo", VCPU=4, start=self.minute(20))
        self.assertEqual(("nova", source.end), (carved.zone, carved.end))
        with self.no_adjustment_changes():
            for word, wanted in (
                ("not within", {"start": self.minute(5)}),
                ("not within", {"start": self.minute(20), "end": self.minute(61)}),
                ("zone", {"start": self.minute(20), "zone": "west"}),
            ):
                self.bad(word, source=source.id, project_ids=("demo",), VCPU=1, **wanted)
            inner = {"start": self.minute(20), "project_ids": ("demo",)}
            self.bad("positive", source=source.id, VCPU=-1, **inner)
            self.bad("carve-out itself", source=carved.id, VCPU=1, **inner)
            self.bad("project_ids", source=source.id, VCPU=1, start=self.minute(20))

    def test_all_together_take_no_more_than_there_is(self):
        source = self.adjust(VCPU=8)
        self.carve(source, "demo", VCPU=6, end=self.minute(60))
        with self.no_adjustment_changes():
            error = self.conflict(self.carve, source, "other", VCPU=3)
            self.assertIn("9 VCPU of the 8", error.message)
            self.conflict(self.carve, source, "other", MEMORY_MB=1)
        self.carve(source, "other", VCPU=2)
        self.carve(source, "demo", VCPU=6, start=self.minute(60))

    def test_projects_share_all_of_a_time_or_none(self):
        source = self.adjust(VCPU=8)
        self.carve(source, "demo", "other", VCPU=1, end=self.minute(60))
        with self.no_adjustment_changes():
            error = self.conflict(self.carve, source, "demo", VCPU=1)
            self.assertIn("demo", error.message)
        self.carve(source, "demo", "other", VCPU=1)
        self.carve(source, "third", VCPU=1)

    def test_what_has_carve_outs_stays(self):
        source = self.adjust(VCPU=8)
        carved = self.carve(source, "demo", VCPU=1)
        with self.no_adjustment_changes():
            for how in ({}, {"force": True}, {"dry_run": True}):
                self.assertIn("carve-outs", self.conflict(self.take_back, source, **how).message)
        self.take_back(carved)
        self.take_back(source)

    def test_one_that_takes_from_others_what_they_were_promised_affects_them(self):
        source = self.adjust(INSTANCE=4)
        mine = self.lease({**SLOT, "amount": 2})
        theirs = self.lease({**SLOT, "amount": 2}, token="eve:other")
        (affected,) = [each["id"] for each in theirs["reservations"]]
        with self.no_adjustment_changes():
            error = self.conflict(self.carve, source, "demo", INSTANCE=3)
        self.assertEqual([affected], error.facts["affected"])
        self.carve(source, "demo", INSTANCE=2)
        carved = self.carve(source, "demo", INSTANCE=1, force=True)
        self.assertEqual((affected,), carved.affected)
        self.assertEqual(
            (False, True), (self.show(mine)["degraded"], self.show(theirs)["degraded"])
        )
        self.take_back(carved)
        self.assertIs(False, self.show(theirs)["degraded"])

    def test_1_what_is_set_apart_is_withdrawn_by_force_alone(self):
        for names, words in (({"INSTANCE": 10}, {}), ({"VCPU": 40}, {"VCPU": -96})):
            source = self.adjust(**names)
            carved = self.carve(source, "demo", **names)
            less = {name: words.get(name, 0) - amount for name, amount in names.items()}
            with self.no_adjustment_changes():
                error = self.conflict(self.adjust, **less)
            self.assertIn("set apart", error.message)
            self.assertEqual([], error.facts["affected"])
            self.adjust(force=True, **less)
            for project in ("demo", None):
                (name,) = names
                self.assertEqual((0, 0, 0), self.figures(name, project_id=project))
            self.refuses(SLOT)
            for each in self.adjustments():
                if each.id not in (source.id, carved.id):
                    self.take_back(each)
            self.take_back(carved)
            self.take_back(source)

    def test_1_who_has_reserved_what_was_set_apart_is_told_when_it_is_withdrawn(self):
        source = self.adjust(INSTANCE=4)
        self.carve(source, "demo", INSTANCE=4)
        mine = self.lease({**SLOT, "amount": 3})
        (affected,) = [each["id"] for each in mine["reservations"]]
        with self.no_adjustment_changes():
            error = self.conflict(self.adjust, INSTANCE=-2)
        self.assertEqual([affected], error.facts["affected"])
        less = self.adjust(INSTANCE=-2, force=True)
        self.assertEqual((affected,), less.affected)
        self.assertIs(True, self.show(mine)["degraded"])
        self.refuses(SLOT)
        self.take_back(less)
        self.assertIs(False, self.show(mine)["degraded"])
        self.lease(SLOT)

    def test_1_what_is_not_there_is_not_set_apart(self):
        source = self.adjust(CUSTOM_GPU=10)
        self.adjust(CUSTOM_GPU=-8)
        for force in (False, True):
            with self.no_adjustment_changes():
                error = self.conflict(self.carve, source, "demo", CUSTOM_GPU=3, force=force)
            self.assertIn("1 CUSTOM_GPU more would be set apart", error.message)
        self.carve(source, "demo", CUSTOM_GPU=2)
