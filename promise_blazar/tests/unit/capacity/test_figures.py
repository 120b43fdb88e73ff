# SPDX-License-Identifier: Apache-2.0
import unittest

from hypothesis import given
from hypothesis import strategies as st

from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.figures import Figures, series, window_figures
from promise_blazar.capacity.fits import fits
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.capacity.limits import UNLIMITED
from promise_blazar.tests.unit.capacity import figures_oracle, oracle, worlds

zones = st.sampled_from([None, None, *figures_oracle.ZONES])
projects = st.sampled_from([None, *figures_oracle.PROJECTS])
flavors = st.fixed_dictionaries(
    {"VCPU": st.integers(0, 2)},
    optional={
        "MEMORY_MB": st.integers(0, 2),
        "INSTANCE": st.integers(1, 2),
        "VOLUME_GB": st.integers(1, 2),
    },
)


class FiguresAgainstTheOracleTest(unittest.TestCase):
    @worlds.exact(250)
    @given(figures_oracle.worlds(), figures_oracle.windows(), zones, projects)
    def test_a_series_has_the_figures_of_every_instant(self, world, span, zone, project):
        window, ledger = Window(*span), world.ledger()
        classes = ledger.tracked(zone)
        self.assertEqual(sorted(world.tracked(zone)), classes)
        if not classes:
            return
        told = series(ledger, window, classes, zone, project)
        self.assertEqual(window.start, told[0][0])
        self.assertEqual(sorted({at for at, _ in told}), [at for at, _ in told])
        before = None
        for instant in range(window.start, window.end):
            at, figures = [each for each in told if each[0] <= instant][-1]
            for name in classes:
                self.assertEqual(_expected(world, name, instant, zone, project, at), figures[name])
            plain = {name: _at(each, 0) for name, each in figures.items()}
            self.assertEqual(at == instant, plain != before)
            before = plain

    @worlds.exact(250)
    @given(figures_oracle.worlds(), figures_oracle.windows(), zones, projects)
    def test_a_window_has_the_figures_of_its_first_instant_of_least(
        self, world, span, zone, project
    ):
        window, ledger = Window(*span), world.ledger()
        told = window_figures(ledger, window, ledger.tracked(zone), zone, project)
        for name, figures in told.items():
            instants = range(window.start, window.end)
            all_of_it = [_expected(world, name, i, zone, project, i) for i in instants]
            least = min(all_of_it, key=lambda each: (each.available, -each.shortfall, each.at))
            self.assertEqual(least, figures)

    @worlds.exact(250)
    @given(figures_oracle.worlds(), figures_oracle.windows(), flavors, zones, projects)
    def test_as_many_as_fit_are_admitted_and_no_more(self, world, span, flavor, zone, project):
        if project is None:
            world.adjustments = [each for each in world.adjustments if each.source is None]
        window, ledger = Window(*span), world.ledger()
        where = () if zone is None else (worlds.query(f'["=", "$zone", "{zone}"]'),)
        told = fits(ledger, window, flavor, zone, project)
        self.assertEqual(min(told.pool, told.hosts), told.count)
        if told.count >= UNLIMITED:
            return

        def admitted(count):
            demand = Slots(count, flavor, None, where)
            request = AllocationRequest("a", demand, window, project=project)
            return isinstance(admit(ledger, [request], window.start), Plan)

        self.assertTrue(admitted(told.count))
        self.assertFalse(admitted(told.count + 1))


class SharedFiguresTest(unittest.TestCase):
    def cloud(self, vcpus):
        """One host that two groups have each booked half of, and their shares."""
        ledger = Ledger()
        ledger.put_host(LedgerHost(1, "compute-1", "east", {"VCPU": vcpus}, {}, True))
        ledger.put_bundle(1, {"VCPU": 1})
        ledger.put_adjustment(LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 8}))
        for number, project in ((2, "a"), (3, "b")):
            carved = LedgerAdjustment(number, None, 0, OPEN, {"VCPU": 4}, 1, frozenset({project}))
            ledger.put_adjustment(carved)
        oracle.put(ledger, [Booking(n, n, 1, 1, 4, 0, 100, False) for n in (1, 2)])
        ledger.put_owners({1: "a", 2: "b"})
        return ledger

    def seen(self, ledger, project):
        (found,) = window_figures(ledger, Window(10, 20), ["VCPU"], None, project).values()
        return found.total, found.reserved, found.available, found.shortfall

    def test_9_a_host_that_shrinks_under_two_groups_frees_nothing_for_others(self):
        self.assertEqual((8, 0, 8, 0), self.seen(self.cloud(8), "c"))
        for vcpus in (0, 1, 4, 7):
            ledger = self.cloud(vcpus)
            self.assertEqual((vcpus, 0, vcpus, 0), self.seen(ledger, "c"))
            self.assertEqual((vcpus + 8, vcpus, 8, 0), self.seen(ledger, None))
            total, reserved, available, _ = self.seen(ledger, "a")
            self.assertEqual((vcpus + 4, total - reserved), (total, available))

    def test_16_a_project_is_not_told_what_others_lack(self):
        ledger = self.cloud(8)
        ledger.put_adjustment(LedgerAdjustment(9, None, 0, OPEN, {"VCPU": -18}))
        self.assertEqual((-2, 8, 0, 10), self.seen(ledger, None))
        self.assertEqual((0, 0, 0, 0), self.seen(ledger, "c"))
        self.assertEqual((0, 4, 0, 4), self.seen(ledger, "a"))


def _expected(world, name, instant, zone, project, at):
    total = world.total(name, instant, zone, project)
    reserved = world.reserved(name, instant, zone, project)
    available = max(world.left(name, instant, zone, project), 0)
    return Figures(total, reserved, 0, available, reserved + available - total, at)


def _at(figures, instant):
    return Figures(
        figures.total,
        figures.reserved,
        figures.used,
        figures.available,
        figures.shortfall,
        instant,
    )
