# SPDX-License-Identifier: Apache-2.0
"""Options of the REST API: group ``[api]``. Former names are those of Blazar's own file."""

import copy

from oslo_config import cfg, types

group = cfg.OptGroup(name="api", title="REST API")

opts = [
    cfg.StrOpt(
        "auth_strategy",
        default="keystone",
        deprecated_opts=[cfg.DeprecatedOpt("auth_strategy", group="DEFAULT")],
        choices=[
            ("keystone", "Tokens are checked by Keystone; see [keystone_authtoken]"),
            ("noauth", "Tokens are believed as they are written: user:project[:role,...]"),
        ],
        help="""
How the API knows who is calling. With ``noauth`` anyone who can reach the port is whoever they
say they are: for trying the service out and for tests, never on a network that is shared.
""",
    ),
    cfg.HostAddressOpt(
        "bind_host",
        deprecated_opts=[cfg.DeprecatedOpt("host", group="DEFAULT")],
        default="127.0.0.1",
        help="""
Address that ``promise-blazar-api`` listens on. The default serves this machine only, which is
right behind a proxy that ends TLS. A WSGI server such as uWSGI has its own setting.
""",
    ),
    cfg.PortOpt(
        "bind_port",
        deprecated_opts=[cfg.DeprecatedOpt("port", group="DEFAULT")],
        default=1234,
        help="Port that ``promise-blazar-api`` listens on. The same as Blazar's.",
    ),
    cfg.IntOpt(
        "threads",
        default=16,
        min=1,
        help="""
Requests that one ``promise-blazar-api`` process serves at the same time; more wait.
""",
    ),
    cfg.IntOpt(
        "waiters",
        min=0,
        help="""
Requests that may wait at the same time in one process until OpenStack is done (see
``[manager] prepare_wait`` and ``delete_wait``), or until it is their turn to be told why they are
refused; by default half of ``threads``. Each holds a thread. The others are answered as soon as
what they ask for is committed, or refused without hints where other refusals are being explained,
so that neither a slow OpenStack nor a crowd of refusals keeps others from reading. Behind a WSGI
server of your own: half of the threads that it gives to a process.
""",
    ),
    cfg.IntOpt(
        "question_rate",
        default=600,
        min=0,
        help="""
Questions that a project may ask within a minute: ``GET /v1/capacity``, ``POST /v1/availability``,
``GET /v1/leases?utilization=true`` and dry runs of leases together. The next one is answered 429,
with ``Retry-After``. Each takes some milliseconds of a manager, and up to two seconds of one of
its threads for a search over months. A manager works out one at a time, by turns between projects,
of each of which two may wait; it answers those that come then 503, with ``Retry-After``. Lower it
where tenants' dashboards and scripts keep managers busy. 0: as many as they like.
""",
    ),
    cfg.StrOpt(
        "question_rate_storage",
        default="memory://",
        regex=r"^(memory://|memcached://[\w.\-\[\]:]+(,[\w.\-\[\]:]+)*)$",
        help="""
Where questions are counted. ``memory://``: in each API process by itself, so that a project may
ask ``question_rate`` of every one. ``memcached://HOST:PORT[,HOST:PORT...]``: for all processes
together, at the cost of a few round trips a question; while memcached is away each process counts
by itself.
""",
    ),
    cfg.IntOpt(
        "max_reservations_per_lease",
        default=100,
        min=1,
        help="Reservations that one lease may ask for; more are refused with 400.",
    ),
    cfg.Opt(
        "refusal_status",
        type=types.Integer(
            choices=[
                (409, "Conflict: the request is fine, and the world is not"),
                (400, "Bad Request"),
                (500, "Internal Server Error: as Blazar answers for hosts"),
            ]
        ),
        default=409,
        help="""
Status of the answer when there is not enough capacity for a lease. Change it for clients that
know Blazar's own 400 and 500 only, and try a 409 again for ever instead of showing its reason.
Other conflicts stay 409. With 500, monitoring that counts server errors counts such refusals too.
""",
    ),
    cfg.FloatOpt(
        "health_timeout",
        default=3.0,
        min=0.1,
        help="""
Seconds that ``/healthcheck`` waits for a manager before it answers 503. Keep it below the
patience of the load balancer that asks.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Make ``conf.api`` known; registering twice does no harm."""
    # oslo.config copies a group shallowly: two configurations would share their overrides.
    conf.register_group(copy.deepcopy(group))
    conf.register_opts(opts, group=group)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For the sample configuration."""
    return [(group, opts)]
