# SPDX-License-Identifier: Apache-2.0
"""The class that Nova loads, in a Nova of a few lines; the real scheduler is the cloud tests'."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from unittest import mock

from oslo_config import cfg
from oslotest import base

from promise_blazar.tests.unit.nova_filter import world
from promise_blazar.tests.unit.nova_filter.world import OWNER, STRANGER, Host


class BaseHostFilter:
    """What Nova's class of this name gives to its heirs."""

    run_filter_once_per_request = True
    RUN_ON_REBUILD = True


class RequestSpec(SimpleNamespace):
    """Like Nova's, knows which of its fields are set."""

    def __contains__(self, name: str) -> bool:
        return name in vars(self)


def request_is_rebuild(spec: RequestSpec) -> bool:
    hints = vars(spec).get("scheduler_hints", {})
    return hints.get("_nova_check_type") == ["rebuild"]


def nova(conf: cfg.ConfigOpts) -> dict[str, ModuleType]:
    """The modules of Nova that the filter imports."""
    modules = {
        name: ModuleType(name)
        for name in (
            "nova",
            "nova.conf",
            "nova.scheduler",
            "nova.scheduler.filters",
            "nova.scheduler.utils",
        )
    }
    for name, module in modules.items():
        package, _, child = name.rpartition(".")
        if package:
            setattr(modules[package], child, module)
    modules["nova.conf"].CONF = conf
    modules["nova.scheduler.filters"].BaseHostFilter = BaseHostFilter
    modules["nova.scheduler.utils"].request_is_rebuild = request_is_rebuild
    return modules


def spec(project: str = OWNER, flavor: str = "m1.small", **extra_specs: str) -> RequestSpec:
    return RequestSpec(
        project_id=project,
        flavor=SimpleNamespace(flavorid=flavor, extra_specs=extra_specs),
        scheduler_hints={},
    )


class ReservationFilter(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf = cfg.ConfigOpts()
        self.conf([])
        self.enterContext(mock.patch.dict(sys.modules, nova(self.conf)))
        sys.modules.pop("nova_filter.filters", None)
        self.filters = importlib.import_module("nova_filter.filters")
        self.hosts = [
            Host("bare"),
            Host("free", [world.freepool()]),
            Host("lent", [world.host_reservation("lent")]),
            Host("slots", [world.freepool(), world.instance_reservation("slots")]),
        ]

    def names(self, asked: RequestSpec) -> list[str]:
        selected = self.filters.ReservationFilter().filter_all(self.hosts, asked)
        self.assertIsInstance(selected, list)
        return [host.host for host in selected]

    def test_without_hint(self) -> None:
        self.assertEqual(["bare"], self.names(spec()))

    def test_hints_that_are_not_set_at_all(self) -> None:
        asked = spec()
        del asked.scheduler_hints
        self.assertEqual(["bare"], self.names(asked))

    def test_hint(self) -> None:
        for hint in (["lent"], ["lent", "unknown"]):
            asked, theirs = spec(), spec(STRANGER)
            asked.scheduler_hints = theirs.scheduler_hints = {"reservation": hint}
            self.assertEqual(["lent"], self.names(asked))
            self.assertEqual([], self.names(theirs))

    def test_flavor_by_the_id_that_users_see(self) -> None:
        extra_specs = {world.FLAVOR_RESERVATION: "slots"}
        self.assertEqual(["slots"], self.names(spec(flavor="slots", **extra_specs)))
        self.assertEqual([], self.names(spec(flavor="copy", **extra_specs)))

    def test_rebuild_stays_where_it_is(self) -> None:
        asked = spec(STRANGER)
        asked.scheduler_hints = {"reservation": ["lent"], "_nova_check_type": ["rebuild"]}
        self.assertEqual(["bare", "free", "lent", "slots"], self.names(asked))

    def test_what_it_tells_nova(self) -> None:
        self.assertIs(False, self.filters.ReservationFilter.RUN_ON_REBUILD)
        self.assertIs(False, self.filters.ReservationFilter.run_filter_once_per_request)

    def test_options_default_to_blazars_names(self) -> None:
        options = self.conf.promise_blazar
        self.assertEqual("freepool", options.freepool)
        self.assertEqual("blazar_", options.zone_prefix)
        self.assertEqual("blazar:owner", options.owner_key)

    def test_options_are_heeded(self) -> None:
        self.conf.set_override("freepool", "waiting", group="promise_blazar")
        self.conf.set_override("zone_prefix", "leased_", group="promise_blazar")
        self.conf.set_override("owner_key", "lease:owner", group="promise_blazar")
        leased = world.Aggregate("r", {"availability_zone": "leased_r", "lease:owner": OWNER})
        self.hosts = [
            Host("free", [world.freepool()]),
            Host("waiting", [world.freepool("waiting")]),
            Host("lent", [leased]),
        ]
        self.assertEqual(["free"], self.names(spec()))
        asked = spec()
        asked.scheduler_hints = {"reservation": ["r"]}
        self.assertEqual(["lent"], self.names(asked))
