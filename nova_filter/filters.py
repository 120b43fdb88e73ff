# SPDX-License-Identifier: Apache-2.0
"""Scheduler filter as Nova loads it: Nova's words in, ``nova_filter.decision``, hosts out."""

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from nova import conf
from nova.scheduler import filters, utils
from oslo_config import cfg

from nova_filter import decision

if TYPE_CHECKING:
    from nova.objects.request_spec import RequestSpec
    from nova.scheduler.host_manager import HostState

_DEFAULTS = decision.Settings()

GROUP = "promise_blazar"
OPTS = [
    cfg.StrOpt(
        "freepool",
        default=_DEFAULTS.freepool,
        help="Name of the aggregate that holds the hosts which are registered for leasing and "
        "not lent now. Requests outside any lease never get them. Must equal the service's.",
    ),
    cfg.StrOpt(
        "zone_prefix",
        default=_DEFAULTS.zone_prefix,
        help="How the availability zone of a host reservation's aggregate begins. Every "
        "aggregate in such a zone is closed to requests outside its reservation, so no other "
        "zone may begin like this. Must equal the service's.",
    ),
    cfg.StrOpt(
        "owner_key",
        default=_DEFAULTS.owner_key,
        help="Metadata key of a reservation's aggregate that holds the id of the owning "
        "project. Must equal the service's.",
    ),
]
CONF = conf.CONF
CONF.register_opts(OPTS, group=GROUP)

_aggregates_of = attrgetter("aggregates")


class ReservationFilter(filters.BaseHostFilter):
    """Lent hosts for their lessees, hosts outside the pool for everybody else."""

    # For several instances in one request Nova asks once for each, with the list of hosts that
    # its picks have left; each of these lists is judged for what it is.
    run_filter_once_per_request = False

    # A rebuild stays on its host and takes nothing more of it, so it is not judged again.
    RUN_ON_REBUILD = False

    def __init__(self) -> None:
        super().__init__()
        options = CONF[GROUP]
        self._settings = decision.Settings(
            freepool=options.freepool,
            zone_prefix=options.zone_prefix,
            owner_key=options.owner_key,
        )

    def filter_all(
        self, filter_obj_list: Iterable["HostState"], spec_obj: "RequestSpec"
    ) -> list["HostState"]:
        """The hosts that pass. The base class would ask about rebuild, and all else, per host."""
        if utils.request_is_rebuild(spec_obj):
            return list(filter_obj_list)
        hints = spec_obj.scheduler_hints if "scheduler_hints" in spec_obj else None
        request = decision.Request(
            project_id=spec_obj.project_id,
            reservations=decision.hinted(hints),
            flavor_id=spec_obj.flavor.flavorid,
            extra_specs=spec_obj.flavor.extra_specs,
        )
        return decision.select(request, filter_obj_list, _aggregates_of, self._settings)
