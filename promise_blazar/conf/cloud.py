# SPDX-License-Identifier: Apache-2.0
"""Options of the cloud: which it is, how to reach it, and how long to wait for it.

``[cloud]`` says which; ``[openstack]`` who we are (any keystoneauth plugin) and how long a call
may take; ``[nova]``, ``[placement]`` and ``[glance]`` (for the ownership of snapshots) where those
services are, if the catalog is not enough.
"""

import copy

from keystoneauth1 import loading
from oslo_config import cfg, types

AUTH_GROUP = "openstack"
SERVICE_GROUPS = ("nova", "placement", "glance")

CLOUD_OPTS = [
    cfg.StrOpt(
        "driver",
        default="openstack",
        choices=[
            ("openstack", "The cloud that [openstack] names"),
            ("simulated", "Hosts and servers that exist only in a file, with Nova's behaviour"),
        ],
        help="What leases are made real in. Change it to try the service out without a cloud; "
        "leases made in the one mean nothing in the other.",
    ),
    cfg.StrOpt(
        "simulated_state",
        default="simulated-cloud.sqlite",
        help="The file that the simulated cloud lives in, made at first use. Every process that "
        "names the same file sees the same cloud. Put it on a local disk.",
    ),
    cfg.IntOpt(
        "simulated_hosts",
        default=8,
        min=1,
        help="How many hosts the simulated cloud gets when its file is made; without effect on "
        "a file that exists.",
    ),
]

OPENSTACK_OPTS = [
    cfg.FloatOpt(
        "call_timeout",
        default=5.0,
        min=0.1,
        help="Seconds that one call to OpenStack may take, from resolving the name to the first "
        "byte of the answer. What did not answer in time is asked again later. While calls take "
        "longer than usual (usual_call_time), a manager takes over the work of a lost one only "
        "after this time, so a large value then makes take-over slow; raise it if calls that "
        "work are logged as timed out. The same in every process.",
    ),
    cfg.FloatOpt(
        "usual_call_time",
        default=2.0,
        min=0.05,
        help="Seconds within which OpenStack answers calls that change something, as a rule. A "
        "kind of call that takes longer is reckoned with for its whole time-out from then on, "
        "until none of it has taken longer for ten minutes: meanwhile the leases of a lost "
        "manager wait for so much longer. Shorter makes take-over faster, together with "
        "[manager] ownership_seconds. The same in every process.",
    ),
    cfg.Opt(
        "call_timeouts",
        type=types.Dict(types.Float(min=0.1)),
        default={},
        help="Time-outs of single kinds of calls, in seconds by the names that the log has for "
        "them, instead of call_timeout: nova.server.snapshot:20,nova.server.delete:10 for "
        "example. While one that may take longer than call_timeout is under way, the leases of a "
        "lost manager wait for so much longer.",
    ),
    cfg.FloatOpt(
        "list_timeout",
        default=30.0,
        min=0.1,
        help="Seconds that one page of a long listing (hypervisors, servers, aggregates) may "
        "take. Listings change nothing, so this delays nobody but the asker.",
    ),
    cfg.IntOpt(
        "list_workers",
        default=8,
        min=1,
        help="How many inventories are fetched from Placement at once when all hosts are "
        "looked at: Placement has no call for more than one. More make the look shorter and "
        "take that many of Placement's workers meanwhile.",
    ),
]


def _formerly(option: cfg.Opt, *names: tuple[str, str]) -> cfg.Opt:
    """A library's option that is read under Blazar's sections and names too."""
    known = copy.deepcopy(option)
    known.deprecated_opts.extend(cfg.DeprecatedOpt(name, group=group) for group, name in names)
    return known


# Of keystoneauth's session options: ``timeout`` is ours (call_timeout), and two are for
# developers of clients.
_SESSION_OPTS = [
    _formerly(opt, ("DEFAULT", "cafile")) if opt.dest == "cafile" else opt
    for opt in loading.get_session_conf_options()
    if opt.dest not in ("timeout", "collect_timing", "split_loggers")
]
# Of its adapter options: where the service is, and nothing that would send a call again. A call
# that is repeated below us would be neither asked for nor fenced.
_WHERE_OPTS = [
    opt
    for opt in loading.get_adapter_conf_options(include_deprecated=False)
    if opt.dest in ("service_type", "service_name", "valid_interfaces", "region_name")
    or opt.dest == "endpoint_override"
]

#: Blazar's words for some of these, as section and name; ours as the section.
_FORMER = {
    ("nova", "service_type"): ("nova", "compute_service"),
    ("nova", "valid_interfaces"): ("nova", "endpoint_type"),
    ("placement", "valid_interfaces"): ("placement", "endpoint_type"),
    **{(group, "region_name"): ("DEFAULT", "os_region_name") for group in SERVICE_GROUPS},
}


def _where(group: str) -> list[cfg.Opt]:
    """Where the service of this section is."""
    former = {opt.dest: _FORMER.get((group, opt.dest)) for opt in _WHERE_OPTS}
    return [_formerly(opt, name) if (name := former[opt.dest]) else opt for opt in _WHERE_OPTS]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Make all options of this module known to ``conf``."""
    conf.register_opts(CLOUD_OPTS, group="cloud")
    loading.register_auth_conf_options(conf, AUTH_GROUP)
    conf.register_opts(_SESSION_OPTS + OPENSTACK_OPTS, group=AUTH_GROUP)
    for group in SERVICE_GROUPS:
        conf.register_opts(_where(group), group=group)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator: with the options of a password login as the common case."""
    password = loading.get_auth_plugin_conf_options("password")
    auth = loading.get_auth_common_conf_options() + password
    return [
        ("cloud", CLOUD_OPTS),
        (AUTH_GROUP, OPENSTACK_OPTS + auth + _SESSION_OPTS),
        *((group, _where(group)) for group in SERVICE_GROUPS),
    ]
