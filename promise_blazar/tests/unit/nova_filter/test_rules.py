# SPDX-License-Identifier: Apache-2.0
"""The decision against the rules said naively: one host at a time, one aggregate at a time."""

from hypothesis import given, settings
from hypothesis import strategies as st
from oslotest import base

from nova_filter import decision
from promise_blazar.tests.unit.nova_filter import world
from promise_blazar.tests.unit.nova_filter.world import Aggregate, Host

NAMES = ("freepool", "r1", "r2", "r3", "north")
PROJECTS = ("p1", "p2", "p3")


def passes(request: decision.Request, host: Host) -> bool:
    """May the request use this host?"""
    if not all(type(hint) is str for hint in request.reservations):
        return False
    if world.FLAVOR_RESERVATION in request.extra_specs:
        reservation = request.extra_specs[world.FLAVOR_RESERVATION]
        if request.flavor_id != reservation:
            return False
        if any(hint != reservation for hint in request.reservations):
            return False
        return any(
            "instances" in kinds(aggregate)
            and aggregate.label == reservation
            and belongs(aggregate, request.project_id)
            for aggregate in host.aggregates
        )
    if request.reservations:
        return any(
            "hosts" in kinds(aggregate)
            and aggregate.label in request.reservations
            and belongs(aggregate, request.project_id)
            for aggregate in host.aggregates
        )
    return not any(kinds(aggregate) for aggregate in host.aggregates)


def kinds(aggregate: Aggregate) -> set[str]:
    """What pools it is; none if it is an ordinary aggregate."""
    metadata = aggregate.metadata or {}
    found = set()
    if aggregate.label == "freepool":
        found.add("freepool")
    if metadata.get("availability_zone", "")[:7] == "blazar_":
        found.add("hosts")
    if "reservation" in metadata and metadata["reservation"] == aggregate.label:
        found.add("instances")
    return found


def belongs(aggregate: Aggregate, project: str) -> bool:
    metadata = aggregate.metadata or {}
    owner = "blazar:owner" in metadata and metadata["blazar:owner"] == project
    member = project in metadata and metadata[project] in ("true", "1")
    return project != "" and (owner or member)


metadata = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "availability_zone": st.sampled_from(("", "north", "blazar_", "blazar_r1", "xblazar_r1")),
        "reservation": st.sampled_from(NAMES),
        "blazar:owner": st.sampled_from(("", *PROJECTS)),
        **{project: st.sampled_from(("true", "1", "false", "")) for project in PROJECTS},
    },
)
aggregates = st.builds(Aggregate, st.sampled_from(NAMES), metadata)
hints = st.sampled_from((*NAMES, "unknown", ""))


@st.composite
def worlds(draw: st.DrawFn) -> list[Host]:
    shared = draw(st.lists(aggregates, min_size=1, max_size=6))
    members = st.lists(st.sampled_from(shared), max_size=3)
    return [Host(f"h{i}", of) for i, of in enumerate(draw(st.lists(members, max_size=12)))]


@st.composite
def requests(draw: st.DrawFn) -> decision.Request:
    reservation = draw(st.none() | st.sampled_from(NAMES))
    return decision.Request(
        project_id=draw(st.sampled_from(("", *PROJECTS))),
        reservations=tuple(draw(st.lists(hints | st.sampled_from((None, 7)), max_size=3))),
        flavor_id=draw(st.sampled_from(NAMES) if reservation is None else st.just(reservation)),
        extra_specs={} if reservation is None else {world.FLAVOR_RESERVATION: reservation},
    )


copied_flavors = st.builds(
    decision.Request,
    project_id=st.sampled_from(PROJECTS),
    reservations=st.tuples() | st.tuples(hints),
    flavor_id=st.sampled_from((*NAMES, "m1.small")),
    extra_specs=st.fixed_dictionaries({world.FLAVOR_RESERVATION: st.sampled_from(NAMES)}),
)


class Rules(base.BaseTestCase):
    @settings(max_examples=500, deadline=None)
    @given(hosts=worlds(), request=requests() | copied_flavors)
    def test_decision_is_the_rules(self, hosts: list[Host], request: decision.Request) -> None:
        self.assertEqual(
            [host for host in hosts if passes(request, host)],
            decision.select(request, hosts, world.aggregates_of),
        )
