# SPDX-License-Identifier: Apache-2.0
"""An hour of a service of an earlier release, after which a lease is in each of its states.

Run by make_dumps.py with the code of that release, in a process of its own that kills itself at
the end: what it was at is left as it was, under the name of a manager that beats no more.

    python story.py URL CLOUD NOTES

One manager makes everything in good order and leaves in order. The next has trouble: it is cut
off before calls to OpenStack, each time with another lease or host, and at the end OpenStack
fails at calls, so that their work is to be tried again.
"""

import json
import os
import signal
import sys
import traceback
from functools import partial
from pathlib import Path

from names import LATER
from old_service import HOSTS, Story, repeatable

from promise_blazar.tests.functional.base import HOST, INSTANCE

BOB = "bob:other"
#: Hosts by their numbers; the last is never registered.
GOOD, ADDING, REMOVING, REMOVED = range(1, HOSTS - 3), HOSTS - 3, HOSTS - 2, HOSTS - 1
DOWN = 20
#: What operators say of hosts, by their numbers.
TOLD = {1: {"gpu": "False", "bought": "2029"}, 18: {"rack": "8"}, 19: {"gpu": "True", "rack": "7"}}

#: Later than all that is cut off, but so soon that what changes is made at once.
SOON = 65 if LATER else 150

SNAPSHOT = {**HOST, "before_end": "snapshot"}
RACK = {**HOST, "resource_properties": '["==", "$rack", "8"]'}
SLOTS = {**INSTANCE, "vcpus": 1}
TOGETHER = {**SLOTS, "affinity": True}
APART = {**SLOTS, "affinity": False}
GPU = {**SLOTS, "amount": 1, "resource_properties": '["==", "$gpu", "True"]'}


def in_good_order(story: Story) -> None:
    """Until minute 50: everything that is to be, and what lasts."""
    story.employ()
    for number in GOOD:
        if number == DOWN:
            story.cloud.set_host_state(f"compute-{number}", "down")
        story.register(number, key="host" if number == 1 else "", **TOLD.get(number, {}))
    story.must(200, "PATCH", "/v1/os-hosts/properties/bought", {"private": True})
    removed = story.register(REMOVED)
    story.must(204, "DELETE", f"/v1/os-hosts/{removed}")
    refused_at_the_start(story)
    lease = story.lease
    lease("active both, warned", SNAPSHOT, APART, end=90, warning=40, key="active")
    lease("active host, not warned", HOST, end=300, warning=240)
    lease("active instance, not warned", GPU, end=300, warning=240, token=BOB)
    lease("active host, warning refused", SNAPSHOT, end=120, warning=60)
    lease("updating both, refused", HOST, GPU, end=200)
    lease("updating instance, cut off", SLOTS, end=200)
    lease("updating instance, cut off before its start", TOGETHER, start=SOON, end=200)
    lease("starting both, refused", RACK, SLOTS, start=59, end=200)
    lease("starting host, cut off", HOST, start=51, end=200)
    lease("starting instance, cut off", SLOTS, start=52, end=200)
    lease("terminating both, with servers", HOST, TOGETHER, end=60)
    lease("terminating host, cut off", HOST, end=53)
    lease("terminating instance, cut off", SLOTS, end=54)
    lease("pending both, waits for its host", HOST, SLOTS, start=60, end=200)
    lease("terminated both", HOST, SLOTS, end=30)
    lease("terminated instance", APART, end=30, token=BOB)
    lease("deleting both, with servers", HOST, TOGETHER, end=200)
    lease("deleting host, cut off", HOST, end=200)
    lease("deleting instance, refused", SLOTS, end=200)
    lease("pending both", HOST, TOGETHER, start=400, end=500, key="pending")
    lease("pending instance, of another project", GPU, start=400, end=500, token=BOB)
    lease("pending, of nothing", start=400, end=500)
    lease("gone before its start", HOST, SLOTS, start=400, end=500, key="gone")
    lease("gone after its start", SLOTS, end=200)
    story.run_due()
    for name in (
        "active both, warned",
        "active host, warning refused",
        "terminating both, with servers",
        "deleting both, with servers",
    ):
        story.boot(name)
    story.until(30)
    story.wait(5, act=True)
    story.until(40)
    story.run_due()
    for name in ("gone before its start", "gone after its start"):
        story.delete(name)
        del story.leases[name]
    story.wait(5, act=True)
    story.until(50)
    story.manager.stop()


def refused_at_the_start(story: Story) -> None:
    """A lease of which only the host could be handed over."""
    story.lease("error both, host handed over", HOST, SLOTS, start=1, end=600)
    story.until(1)
    story.cloud.set_faults("nova.flavor.grant", fail_next=3, status=409)
    story.run_due()
    story.wait(20, act=True)
    story.cloud.clear_faults()
    story.until(2)


def cut_short(story: Story) -> None:
    """Until minute 57: a manager that nobody waits for, and what it is at when it dies."""
    story.employ(manager__prepare_wait=0)
    removing = story.register(REMOVING)
    story.cut(
        "host being added",
        partial(story.register, ADDING, key="adding", gpu="True"),
        "nova.aggregate.add_host",
    )
    story.cut(
        "host being removed",
        partial(story.must, 204, "DELETE", f"/v1/os-hosts/{removing}"),
        "nova.aggregate.remove_host",
    )
    for minute, name, call in (
        (51, "starting host, cut off", "nova.aggregate.remove_host"),
        (52, "starting instance, cut off", "placement.inventory.set"),
        (53, "terminating host, cut off", "nova.aggregate.delete"),
        (54, "terminating instance, cut off", "placement.resource_class.delete"),
    ):
        story.until(minute)
        story.cut(name, story.run_due, call)
    story.until(55)
    name = "deleting host, cut off"
    story.delete(name)
    story.cut(name, story.run_due, "nova.aggregate.set_metadata")
    story.until(56)
    cut_short_while_updating(story)
    cut_short_while_creating(story)
    story.slowly("nova.aggregate.create", "error host, never made", HOST, fail_next=3, status=409)
    story.wait(20, act=True)
    story.cloud.clear_faults()


def cut_short_while_updating(story: Story) -> None:
    name = "updating instance, cut off"
    story.cut_after_the_answer(
        name, partial(story.update, name, {"amount": 3}), "placement.inventory.set"
    )
    name = "updating instance, cut off before its start"
    change = {"affinity": False, "vcpus": 2}
    story.cut_after_the_answer(
        name, partial(story.update, name, change), "nova.server_group.delete"
    )


def cut_short_while_creating(story: Story) -> None:
    name = "creating host, cut off"
    ask = partial(story.lease, name, HOST, start=65, end=200)
    story.cut_after_the_answer(name, ask, "nova.aggregate.create")
    name = "creating instance, never answered"
    ask = partial(story.lease, name, TOGETHER, start=65, end=200, key="creating")
    story.cut(name, ask, "nova.flavor.create", "nova.server_group.create")
    story.find(name)


def refused(story: Story) -> None:
    """From minute 59 to 60 OpenStack fails, again and again."""
    story.until(59)
    story.cloud.set_faults("nova.flavor.grant", fail_next=100)
    story.run_due()
    story.cloud.set_faults("nova.aggregate.add_host", fail_next=100)
    name = "updating both, refused"
    story.update(name, {"min": 2, "max": 2}, {"amount": 2})
    story.let_go(name)
    story.until(60)
    story.cloud.set_server_delete_seconds(30)
    story.cloud.set_faults("nova.server.snapshot", fail_next=1)
    story.run_due()
    story.delete("deleting both, with servers")
    story.cloud.set_faults("nova.flavor.delete", fail_next=1)
    story.delete("deleting instance, refused")
    story.run_due()
    name, call = "creating instance, refused", "placement.resource_class.ensure"
    story.slowly(call, name, TOGETHER, fail_next=1)
    # A rule that harms nothing, so that no table is empty.
    story.cloud.clear_faults()
    story.cloud.set_faults("nova.hypervisor.list", latency_ms=1)


def main() -> None:
    url, cloud_file, notes = sys.argv[1:]
    repeatable()
    try:
        story = Story(url, Path(cloud_file))
        in_good_order(story)
        cut_short(story)
        refused(story)
        Path(notes).write_text(json.dumps(story.notes()))
    except BaseException:  # noqa: BLE001 - whatever it is, it ends here
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # an exit in order waits for threads that never come back
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
