# SPDX-License-Identifier: Apache-2.0
"""Options of the manager: ``[manager]``, and the names that it gives things in OpenStack."""

import copy

from oslo_config import cfg

MANAGER = cfg.OptGroup("manager", title="The manager process")

MANAGER_OPTIONS = [
    cfg.ListOpt(
        "plugins",
        default=["physical.host.plugin", "virtual.instance.plugin"],
        help="Resource types that can be leased: names of entry points in the group "
        "promise_blazar.plugins. Leaving one out refuses new leases of its type.",
    ),
    cfg.IntOpt(
        "minutes_before_end_lease",
        default=60,
        min=0,
        help="When a lease names no time for it, its before_end event happens this many minutes "
        "before its end (at its start, if the lease is shorter). 0: no such event.",
    ),
    cfg.IntOpt(
        "workers",
        default=64,
        min=2,
        help="Leases worked on at the same time by this process. Each costs a thread and, now "
        "and then, a database connection. Raise it when many leases start at one instant and "
        "OpenStack answers slowly.",
    ),
    cfg.FloatOpt(
        "prepare_wait",
        default=10,
        min=0,
        help="Seconds that a create or update of a lease which starts soon (see "
        "prepare_ahead) waits for OpenStack. Past that the lease is answered as it is "
        "(CREATING, UPDATING) and the work goes on. 0 answers as soon as it is committed; "
        "what OpenStack refuses then makes the lease ERROR instead of the answer 502. Keep "
        "it below rpc_response_timeout.",
    ),
    cfg.IntOpt(
        "prepare_ahead",
        default=600,
        min=0,
        max=315_360_000,
        help="Seconds before its start within which a lease is prepared in OpenStack as "
        "soon as can be: its flavor, aggregate, resource class. One that starts later is "
        "promised, changed and deleted without OpenStack, which is several times as fast "
        "and works while that is away; it is prepared when nothing is more urgent. Raise it "
        "where many leases start at one instant and OpenStack is slow.",
    ),
    cfg.FloatOpt(
        "delete_wait",
        default=10,
        min=0,
        help="Seconds that a delete waits until OpenStack has let go of everything, so that "
        "a lease that is looked up by its name right after is gone. Past that it is "
        "answered all the same, and goes on. 0 answers as soon as it is committed. Keep it "
        "below rpc_response_timeout.",
    ),
    cfg.IntOpt(
        "waiters",
        default=32,
        min=0,
        help="Requests that may wait at the same time in this process for what prepare_wait "
        "and delete_wait are for; the others are answered at once, as with a wait of 0. "
        "Each holds a thread: keep it at half of executor_thread_pool_size, so that there "
        "are always threads for what takes no time.",
    ),
    cfg.FloatOpt(
        "decision_timeout",
        default=10,
        min=0.1,
        help="Seconds within which it is decided whether a request fits, turns waited for "
        "included. Past that it is answered 503 with Retry-After, and nothing has changed.",
    ),
    cfg.FloatOpt(
        "heartbeat_interval",
        default=1,
        min=0.05,
        help="Seconds between heartbeats. Shorter finds dead managers sooner and costs one small "
        "write and read each.",
    ),
    cfg.FloatOpt(
        "ownership_seconds",
        deprecated_name="claim_seconds",
        default=4,
        min=0.2,
        help="A manager whose heartbeat has not been acknowledged for this long stops acting, "
        "and within one more heartbeat the others take its work over. At least the usual time of "
        "one call to OpenStack ([openstack] usual_call_time) plus two heartbeats; while calls "
        "take longer, it lasts longer by itself. The same in every process.",
    ),
    cfg.IntOpt(
        "start_wait",
        default=600,
        min=0,
        help="Seconds that a start waits for hosts that OpenStack has not let go of. Then it "
        "takes others, or the lease goes to ERROR if there are none.",
    ),
    cfg.FloatOpt(
        "retry_delay",
        default=2,
        min=0.01,
        help="Seconds before a failed step is tried again; doubled with each failure in a row, up "
        "to a minute.",
    ),
    cfg.IntOpt(
        "start_attempts",
        default=3,
        min=1,
        help="How often a start that OpenStack refuses is tried before the lease goes to ERROR. "
        "One that OpenStack does not answer is tried for as long as the lease lasts.",
    ),
    cfg.FloatOpt(
        "reconcile_interval",
        default=300,
        min=0,
        help="Seconds between two comparisons of what OpenStack has with what was promised. Each "
        "lists the aggregates, flavors, server groups, resource classes and hypervisors, and asks "
        "Placement twice per lent host. What differs is logged, and put right or (what lent hosts "
        "have) recorded. One manager does it for all. 0: never.",
    ),
    cfg.FloatOpt(
        "keep_ended",
        default=90,
        min=0,
        help="Days after which a lease that has ended is archived: it becomes one row, is listed "
        "no more, and is shown to administrators only, who ask for its id. What it had in the "
        "ledger is removed. 0: never.",
    ),
    cfg.FloatOpt(
        "keep_archived",
        default=365,
        min=0,
        help="Days after which an archived lease is removed for good. 0: never.",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=1,
        min=0.01,
        help="Seconds between two looks at servers that are being deleted.",
    ),
    cfg.StrOpt(
        "rpc_topic",
        default="promise-blazar.manager",
        help="The topic on which managers listen. Must be the same for the API and all managers.",
    ),
]

NOVA_NAMES = [
    cfg.StrOpt(
        "aggregate_freepool_name",
        default="freepool",
        deprecated_group="physical:host",
        help="Aggregate of the hosts that can be leased and are not. The scheduler filter must "
        "be configured with the same name.",
    ),
    cfg.StrOpt(
        "blazar_owner",
        default="blazar:owner",
        deprecated_group="physical:host",
        help="Metadata key of an aggregate for the project that leased it.",
    ),
    cfg.StrOpt(
        "image_prefix",
        default="reserved_",
        help="Snapshots of servers are named by this and the server's name.",
    ),
    cfg.FloatOpt(
        "settle_seconds",
        default=2,
        min=0,
        help="Seconds between closing what a lease had, from when on nobody can boot there, and "
        "the look that releases it, if nobody is there. Boots that Nova had let in before arrive "
        "meanwhile; raise it where conductors are slow. The next lease of the host waits as "
        "long. With 0 such a server may be found only after the host went to somebody else.",
    ),
]

HOST_NAMES = [
    cfg.StrOpt(
        "blazar_az_prefix",
        default="blazar_",
        help="Availability zone of a host reservation's aggregate, before the reservation's id.",
    ),
    cfg.StrOpt(
        "before_end",
        default="",
        choices=["", "snapshot"],
        help="What happens before the end of host reservations that say `default`: nothing, or a "
        "snapshot of each of their servers.",
    ),
]


def register(conf: cfg.ConfigOpts) -> None:
    # oslo.config copies a group shallowly: two configurations would share their overrides.
    conf.register_group(copy.deepcopy(MANAGER))
    for group, options in list_opts():
        conf.register_opts(options, group=group)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    return [
        (MANAGER.name, MANAGER_OPTIONS),
        ("nova", NOVA_NAMES),
        ("physical:host", HOST_NAMES),
    ]
