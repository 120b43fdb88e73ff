# SPDX-License-Identifier: Apache-2.0
"""Small random worlds and asks, dense enough that half of what is asked for is refused."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from promise_blazar.capacity.demand import Ask, Placement, Slots, WholeHosts, Window
from promise_blazar.capacity.ledger import Booking, Host
from promise_blazar.capacity.query import parse
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


def _query(text):
    query = parse(text)
    assert query is not None
    return query


capacities = st.fixed_dictionaries(
    {"VCPU": st.integers(0, 5)}, optional={"MEMORY_MB": st.integers(0, 6)}
)
properties = st.fixed_dictionaries(
    {}, optional={"gpu": st.sampled_from(["1", "0"]), "rank": st.integers(0, 3)}
)
wheres = st.lists(st.sampled_from(QUERIES), max_size=1).map(
    lambda texts: tuple(_query(text) for text in texts)
)


@st.composite
def windows(draw):
    start = draw(st.integers(0, HORIZON - 1))
    return Window(start, draw(st.integers(start + 1, HORIZON)))


@st.composite
def bookings(draw, id_, hosts):
    window = draw(windows())
    return Booking(
        id=id_,
        reservation=draw(st.integers(1, 4)),
        host=draw(st.sampled_from(hosts)),
        bundle=draw(st.sampled_from([None, 1, 1, 2, 3, 4])),
        units=draw(st.integers(1, 2)),
        start=window.start,
        end=window.end,
        released=draw(st.booleans()),
    )


@st.composite
def worlds(draw, most_hosts=4, most_bookings=7):
    # Ids out of order, so that no place in an array is taken for an id.
    ids = draw(st.permutations(range(10, 10 + draw(st.integers(1, most_hosts)))))
    hosts = [
        Host(
            id=id_,
            name=f"compute-{id_}",
            zone="nova",
            capacity=draw(capacities),
            properties=draw(properties),
            reservable=draw(st.integers(0, 9)) > 0,
        )
        for id_ in ids
    ]
    somewhere = [*ids, *ids, 99]
    count = draw(st.integers(0, most_bookings))
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
def asks(draw, key, world, may_keep=True):
    demand = draw(st.one_of(whole_hosts, slots))
    keep = ()
    if may_keep and draw(st.booleans()):
        most = 1 if isinstance(demand, WholeHosts) else 2
        ids = draw(st.lists(st.sampled_from([h.id for h in world.hosts]), max_size=2, unique=True))
        keep = tuple(Placement(id_, draw(st.integers(1, most))) for id_ in ids)
    return Ask(key, demand, draw(windows()), keep, pinned=bool(keep) and draw(st.booleans()))


@st.composite
def cases(draw, count=1, may_keep=True, most_hosts=4):
    world = draw(worlds(most_hosts))
    return world, [draw(asks(f"ask-{n}", world, may_keep)) for n in range(count)]
