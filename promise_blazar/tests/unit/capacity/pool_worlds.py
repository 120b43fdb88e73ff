# SPDX-License-Identifier: Apache-2.0
"""Small worlds with zones, adjustments and carve-outs, each by its number."""

import dataclasses
import random

from promise_blazar.capacity.ledger import OPEN, Ledger, LedgerAdjustment
from promise_blazar.tests.unit.capacity import worlds
from promise_blazar.tests.unit.capacity.oracle import World, put

ZONES = ("east", "west", "north")
PROJECTS = ("blue", "green", "red", "white")
GROUPS = (frozenset({"blue", "green"}), frozenset({"red"}))
CLASSES = ("VCPU", "MEMORY_MB", "INSTANCE", "GPU")
BUNDLES = {**worlds.BUNDLES, 5: {"VCPU": 1, "INSTANCE": 2}, 6: {"GPU": 1}}


def adjusted(seed, count=1, carved=True):
    """A crowded case, with what is on offer adjusted."""
    world, requests = worlds.crowded(seed, count)
    dice = random.Random(f"adjusted {seed}")
    hosts = [
        dataclasses.replace(
            host,
            zone=dice.choice(ZONES),
            capacity=_capacity(dice, host.capacity),
        )
        for host in world.hosts
    ]
    bookings = [
        dataclasses.replace(
            each,
            bundle=dice.choice([5, 6]) if each.bundle and dice.random() < 0.2 else each.bundle,
            host=99 if dice.random() < 0.05 else each.host,
            end=OPEN if dice.random() < 0.1 else each.end,
        )
        for each in world.bookings
    ]
    adjustments = [_adjustment(dice, id_) for id_ in range(1, dice.randint(2, 5))]
    if carved and dice.random() < 0.6:
        adjustments += [
            _carve_out(dice, 10 + number, dice.choice(adjustments))
            for number in range(dice.randint(1, 3))
        ]
        if dice.random() < 0.3:
            adjustments.append(withdrawal(dice, 20, adjustments[-1]))
    owners = {number: dice.choice(PROJECTS) for number in range(1, 7) if dice.random() < 0.9}
    project = dice.choice([*PROJECTS, None])
    world = World(
        hosts=hosts,
        bundles=BUNDLES,
        bookings=bookings,
        now=world.now,
        exclude=world.exclude,
        adjustments=adjustments,
        owners=owners,
    )
    return world, [dataclasses.replace(request, project=project) for request in requests]


def stirred(world, seed):
    """The world's ledger, before which there was another of the same hosts and adjustments."""
    dice = random.Random(seed)
    ledger = Ledger()
    for host in world.hosts:
        had = {name: dice.randint(0, 9) for name in dice.sample(CLASSES, 2)}
        ledger.put_host(dataclasses.replace(host, zone=dice.choice(ZONES), capacity=had))
    ledger.put_host(dataclasses.replace(world.hosts[0], id=98, capacity={"GPU": 4}))
    ledger.put_host(dataclasses.replace(world.hosts[0], id=99, capacity={"VCPU": 4}))
    for id_ in (1, 2, 77):
        ledger.put_adjustment(_adjustment(dice, id_))
    for id_, amounts in world.bundles.items():
        ledger.put_bundle(id_, amounts)
    put(ledger, world.bookings)
    before = ledger.copy()
    for number in (98, 99, *(host.id for host in world.hosts if dice.random() < 0.3)):
        ledger.drop_host(number)
    for number in (1, 2, 77):
        ledger.drop_adjustment(number)
    for host in world.hosts:
        ledger.put_host(host)
    for adjustment in world.adjustments:
        ledger.put_adjustment(adjustment)
    ledger.put_owners(world.owners)
    assert {98, 99} <= before.hosts.keys()
    return ledger


def withdrawal(dice, id_, carved):
    """What takes from a share that is set apart, or from all that there is."""
    start = dice.choice([carved.start, *range(worlds.HORIZON)])
    return LedgerAdjustment(
        id_,
        dice.choice([carved.zone, None]),
        start,
        dice.choice([OPEN, start + 1, start + 4]),
        {name: -dice.randint(1, amount + 4) for name, amount in carved.amounts.items()},
    )


def _capacity(dice, capacity):
    """Some hosts lack a class, some have one more, some have become smaller."""
    names = [name for name in capacity if dice.random() < 0.95]
    more = {"GPU": dice.randint(0, 2)} if dice.random() < 0.1 else {}
    less = dice.choice([1, 1, 1, 1, 1, 1, 1, 2])
    return {name: capacity[name] // less for name in names} | more


def _adjustment(dice, id_):
    start = dice.choice([-5, 0, *range(worlds.HORIZON)])
    return LedgerAdjustment(
        id_,
        dice.choice([None, None, *ZONES]),
        start,
        dice.choice([OPEN, *range(start + 1, worlds.HORIZON + 2)]),
        {
            name: dice.choice([-6, -4, -3, -2, -1, 1, 3, 8])
            for name in dice.sample(CLASSES, dice.choice([1, 1, 2]))
        },
    )


def _carve_out(dice, id_, source):
    start = dice.choice([source.start, *range(worlds.HORIZON)])
    return LedgerAdjustment(
        id_,
        source.zone,
        start,
        dice.choice([end for end in (OPEN, source.end, start + 3) if end > start]),
        {name: dice.randint(1, 4) for name in source.amounts},
        source.id,
        dice.choice(GROUPS),
    )
