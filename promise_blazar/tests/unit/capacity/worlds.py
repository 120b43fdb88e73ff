# SPDX-License-Identifier: Apache-2.0
"""Small random worlds and requests: simple ones that shrink, and crowded ones by their number.

Hypothesis prefers what is simple; in a crowd the faults are that need several hosts, each with
bookings that come and go inside the window.
"""

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import Booking, LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.tests.unit.capacity.oracle import World


def exact(examples: int) -> settings:
    """The same examples in every run, so that a failure on one machine is one on all."""
    return settings(
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples,
        suppress_health_check=[HealthCheck.too_slow],
    )


HORIZON = 12
BUNDLES = {1: {"VCPU": 1, "MEMORY_MB": 1}, 2: {"VCPU": 2}, 3: {"MEMORY_MB": 3}, 4: {}}
QUERIES = ('["=", "$gpu", "1"]', '["not", ["=", "$gpu", "1"]]', '[">=", "$rank", "2"]')


def query(text):
    parsed = parse(text)
    assert parsed is not None
    return parsed


capacities = st.fixed_dictionaries(
    {"VCPU": st.sampled_from([4, 6, 3, 5, 2, 1, 0])}, optional={"MEMORY_MB": st.integers(0, 6)}
)
properties = st.fixed_dictionaries(
    {}, optional={"gpu": st.sampled_from(["1", "0"]), "rank": st.integers(0, 3)}
)
wheres = st.sampled_from([None, None, None, None, *QUERIES]).map(
    lambda text: () if text is None else (query(text),)
)


instants = st.integers(0, HORIZON - 1)
later = st.sampled_from([5, 3, 7, 8, 2, 9, 10, 4, 6, HORIZON])


@st.composite
def windows(draw):
    start, end = sorted(draw(st.tuples(instants, later)))
    return Window(start, end if end > start else end + 1)


@st.composite
def bookings(draw, id_, hosts):
    window = draw(windows())
    return Booking(
        id=id_,
        reservation=draw(st.integers(1, 4)),
        host=draw(st.sampled_from(hosts)),
        bundle=draw(st.sampled_from([1, 2, 1, 3, 1, 2, 4, None])),
        units=draw(st.integers(1, 2)),
        start=window.start,
        end=window.end,
        released=draw(st.booleans()),
    )


@st.composite
def worlds(draw, most_hosts=4):
    # Ids out of order, so that no place in an array is taken for an id.
    ids = draw(st.permutations(range(10, 10 + draw(st.sampled_from(range(most_hosts, 0, -1))))))
    hosts = [
        LedgerHost(
            id=id_,
            name=f"compute-{id_}",
            zone="nova",
            capacity=draw(capacities),
            properties=draw(properties),
            reservable=draw(st.sampled_from([True] * 5 + [False])),
        )
        for id_ in ids
    ]
    somewhere = [*ids, *ids, 99]
    count = draw(st.sampled_from([5, 6, 7, 4, 8, 3, 2, 1, 0]))
    return World(
        hosts=hosts,
        bundles=BUNDLES,
        bookings=[draw(bookings(n, somewhere)) for n in range(1, count + 1)],
        now=draw(st.integers(0, HORIZON)),
        exclude=frozenset(draw(st.sets(st.integers(1, 4), max_size=1))),
    )


whole_hosts = st.builds(
    lambda minimum, more, where: WholeHosts(minimum, minimum + more, where),
    st.integers(1, 3),
    st.integers(0, 2),
    wheres,
)
slots = st.builds(
    Slots,
    st.integers(1, 4),
    st.fixed_dictionaries({"VCPU": st.integers(0, 2)}, optional={"MEMORY_MB": st.integers(0, 2)}),
    st.sampled_from([True, False, None]),
    wheres,
)


@st.composite
def requests(draw, key, world, may_keep=True):
    demand = draw(st.one_of(slots, slots, whole_hosts))
    keep = ()
    if may_keep and draw(st.sampled_from([True, True, False])):
        most = 1 if isinstance(demand, WholeHosts) else 2
        ids = draw(
            st.lists(
                st.sampled_from([h.id for h in world.hosts]), min_size=1, max_size=2, unique=True
            )
        )
        keep = tuple(Placement(id_, draw(st.integers(1, most))) for id_ in ids)
    return AllocationRequest(
        key, demand, draw(windows()), keep, pinned=bool(keep) and draw(st.booleans())
    )


@st.composite
def cases(draw, count=1, may_keep=True, most_hosts=4):
    world = draw(worlds(most_hosts))
    return world, [draw(requests(f"request-{n}", world, may_keep)) for n in range(count)]


def crowded(seed, count=1):
    """A crowded case by its number: a world, and requests in windows in which much happens."""
    dice = random.Random(seed)
    ids = dice.sample(range(10, 20), dice.choice([2, 3, 3, 4]))
    hosts = [
        LedgerHost(
            id=id_,
            name=f"compute-{id_}",
            zone="nova",
            capacity={"VCPU": dice.randint(2, 6), "MEMORY_MB": dice.randint(1, 8)},
            properties={"gpu": dice.choice("01"), "rank": dice.randint(0, 3)},
            reservable=dice.random() < 0.95,
        )
        for id_ in ids
    ]

    def window(longest):
        start = dice.randrange(HORIZON)
        return Window(start, start + dice.randint(1, longest))

    def booking(id_):
        span = window(5)
        return Booking(
            id=id_,
            reservation=dice.randint(1, 6),
            host=dice.choice(ids),
            bundle=dice.choice([1, 1, 1, 2, 3, 4, 1, 2, 1, 1, 2, None]),
            units=dice.choice([1, 1, 2]),
            start=span.start,
            end=dice.choice([span.end] * 9 + [span.start]),
            released=dice.random() < 0.6,
        )

    def request(key):
        where = (query(dice.choice(QUERIES)),) if dice.random() < 0.15 else ()
        if dice.random() < 0.3:
            minimum = dice.choice([1, 1, 2])
            demand = WholeHosts(minimum, minimum + dice.randint(0, 2), where)
        else:
            amounts = {"VCPU": dice.choice([1, 1, 2, 0])}
            if dice.random() < 0.5:
                amounts["MEMORY_MB"] = dice.randint(0, 2)
            affinity = dice.choice([None, None, True, False])
            demand = Slots(dice.randint(1, 4), amounts, affinity, where)
        most = 1 if isinstance(demand, WholeHosts) else 2
        kept = dice.sample(ids, dice.choice([0, 0, 1, 2]))
        keep = tuple(Placement(id_, dice.randint(1, most)) for id_ in kept)
        return AllocationRequest(key, demand, window(8), keep, bool(keep) and dice.random() < 0.4)

    world = World(
        hosts=hosts,
        bundles=BUNDLES,
        bookings=[booking(id_) for id_ in range(1, dice.randint(4, 12))],
        now=dice.randrange(HORIZON),
        exclude=frozenset(dice.sample(range(1, 7), dice.choice([0, 0, 1, 2]))),
    )
    return world, [request(f"request-{number}") for number in range(count)]
