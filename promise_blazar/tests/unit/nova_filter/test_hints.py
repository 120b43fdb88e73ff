# SPDX-License-Identifier: Apache-2.0
"""A tenant writes the hints as it likes. None opens a door, none raises."""

from collections.abc import Iterator

from oslotest import base

from nova_filter import decision
from promise_blazar.tests.unit.nova_filter import world
from promise_blazar.tests.unit.nova_filter.world import OWNER, STRANGER, Host, names

MALFORMED = (
    None,
    0,
    True,
    1.5,
    b"lent",
    {"lent": "lent"},
    ["lent"],
    ("lent",),
    {"lent"},
    float("nan"),
)

ODD_STRINGS = (
    "",
    " ",
    " lent",
    "lent ",
    "LENT",
    "lent\n",
    "lent\x00",
    "lent,second",
    "*",
    "%",
    "r*",
    "blazar_lent",
    "freepool",
    "north",
    "True",
    OWNER,
    "blazar:owner",
    "availability_zone",
    "' OR '1'='1",
    "../lent",
    "x" * 1_000_000,
    "\ud800",
)


class Hints(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        pool, north = world.freepool(), world.zone("north")
        self.hosts = [
            Host("bare"),
            Host("free", [pool]),
            Host("in-zone", [north]),
            Host("lent", [world.host_reservation("lent")]),
            Host("second", [world.host_reservation("second")]),
            Host("slots", [pool, world.instance_reservation("slots")]),
        ]

    def each_project(self) -> Iterator[str]:
        for project in (OWNER, STRANGER, "", "true", "blazar:owner"):
            with self.subTest(project=project):
                yield project

    def test_malformed_hint_no_host(self) -> None:
        for project in self.each_project():
            for value in MALFORMED:
                for hints in ((value,), (value, "lent"), ("lent", value)):
                    self.assertEqual([], names(world.request(project, *hints), self.hosts))
                self.assertEqual([], names(world.request(project, value, of="slots"), self.hosts))

    def test_odd_strings_name_no_reservation(self) -> None:
        for project in self.each_project():
            for value in ODD_STRINGS:
                self.assertEqual([], names(world.request(project, value), self.hosts))
                self.assertEqual([], names(world.request(project, value, of="slots"), self.hosts))

    def test_a_string_in_place_of_the_tuple_is_malformed(self) -> None:
        hosts = [Host("h", [world.host_reservation("r")])]
        request = decision.Request(OWNER, "r", "m1.small", {})  # type: ignore[arg-type]  # on purpose
        self.assertEqual([], names(request, hosts))

    def test_very_many_hints(self) -> None:
        many = [f"guess-{number}" for number in range(100_000)]
        self.assertEqual([], names(world.request(STRANGER, *many, "lent"), self.hosts))
        self.assertEqual(["lent"], names(world.request(OWNER, *many, "lent"), self.hosts))

    def test_a_missing_owner_is_nobody(self) -> None:
        for zone in ({"availability_zone": "blazar_r"}, {"reservation": "r"}):
            for owner in ({}, {"blazar:owner": ""}):
                hosts = [Host("h", [world.Aggregate("r", zone | owner)])]
                for project in ("", None, STRANGER):
                    for request in (
                        decision.Request(project, ("r",), "m1.small", {}),  # type: ignore[arg-type]  # on purpose
                        decision.Request(project, (), "r", {world.FLAVOR_RESERVATION: "r"}),  # type: ignore[arg-type]  # on purpose
                    ):
                        self.assertEqual([], names(request, hosts))

    def test_only_a_true_value_shares(self) -> None:
        for value, shared in {
            "true": True,
            "True": True,
            " yes ": True,
            "on": True,
            "1": True,
            "": False,
            "false": False,
            "no": False,
            "0": False,
            "truthful": False,
            "member": False,
        }.items():
            with self.subTest(value=value):
                hosts = [Host("h", [world.host_reservation("r", **{STRANGER: value})])]
                expected = ["h"] if shared else []
                self.assertEqual(expected, names(world.request(STRANGER, "r"), hosts))

    def test_a_zone_must_begin_with_the_prefix(self) -> None:
        for zone in ("", "north", "Blazar_r", "my-blazar_r", "blazar", " blazar_r"):
            with self.subTest(zone=zone):
                metadata = {"availability_zone": zone, "blazar:owner": OWNER}
                hosts = [Host("h", [world.Aggregate("r", metadata)])]
                self.assertEqual([], names(world.request(OWNER, "r"), hosts))
                self.assertEqual(["h"], names(world.request(OWNER), hosts))

    def test_the_name_counts_not_the_zone(self) -> None:
        metadata = {"availability_zone": "blazar_r", "blazar:owner": OWNER}
        hosts = [Host("h", [world.Aggregate("other", metadata)])]
        self.assertEqual([], names(world.request(OWNER, "r"), hosts))
        self.assertEqual([], names(world.request(OWNER), hosts))
        self.assertEqual(["h"], names(world.request(OWNER, "other"), hosts))


class Hinted(base.BaseTestCase):
    """How the hints of a request arrive."""

    def test_absent(self) -> None:
        for hints in (None, {}, {"group": "g"}, {"Reservation": "r"}, {"reservation": []}):
            self.assertEqual((), decision.hinted(hints))

    def test_one_or_several(self) -> None:
        self.assertEqual(("r",), decision.hinted({"reservation": "r"}))
        self.assertEqual(("r",), decision.hinted({"reservation": ["r"]}))
        self.assertEqual(("r", "s"), decision.hinted({"reservation": ["r", "s"]}))

    def test_malformed_is_handed_on(self) -> None:
        self.assertEqual((None,), decision.hinted({"reservation": None}))
        self.assertEqual((5,), decision.hinted({"reservation": 5}))
        self.assertEqual((["r"], "s"), decision.hinted({"reservation": [["r"], "s"]}))
        self.assertEqual(({"r": 1},), decision.hinted({"reservation": {"r": 1}}))
