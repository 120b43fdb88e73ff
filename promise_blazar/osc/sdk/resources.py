# SPDX-License-Identifier: Apache-2.0
"""What the service has, as openstacksdk sees it."""

from openstack import resource


class Lease(resource.Resource):
    """A lease. ``id`` is None in what a dry run shows."""

    resource_key = "lease"
    resources_key = "leases"
    base_path = "/leases"
    allow_create = True
    allow_fetch = True
    allow_list = True

    _query_mapping = resource.QueryParameters("start", "end", "name", "status", "sort")

    start_date = resource.Body("start_date")
    end_date = resource.Body("end_date")
    before_end_date = resource.Body("before_end_date")
    status = resource.Body("status")
    status_reason = resource.Body("status_reason")
    degraded = resource.Body("degraded", type=bool)
    reservations = resource.Body("reservations", type=list, list_type=dict)
    events = resource.Body("events", type=list, list_type=dict)
    project_id = resource.Body("project_id")
    user_id = resource.Body("user_id")
    created_at = resource.Body("created_at")
    updated_at = resource.Body("updated_at")
    #: Of the request: the same key, sent again, is the same request.
    idempotency_key = resource.Header("Idempotency-Key")


class Capacity(resource.Resource):
    """Figures of a window: by class those of the instant at which the least is available."""

    base_path = "/capacity"
    allow_fetch = True
    requires_id = False

    window = resource.Body("window", type=dict)
    capacity = resource.Body("capacity", type=dict)
    series = resource.Body("series", type=list)
    fits = resource.Body("fits", type=dict)


class Availability(resource.Resource):
    """The windows in which something would be promised, the earliest first."""

    base_path = "/availability"
    allow_create = True

    reservations = resource.Body("reservations", type=list, list_type=dict)
    duration = resource.Body("duration", type=int)
    earliest = resource.Body("earliest")
    latest = resource.Body("latest")
    limit = resource.Body("limit", type=int)
    windows = resource.Body("windows", type=list, list_type=dict)
    #: Where the search ended before it was done.
    searched_until = resource.Body("searched_until")
    #: Why there is no window.
    reasons = resource.Body("reasons", type=list, list_type=dict)
    fits = resource.Body("fits", type=dict)


class Adjustment(resource.Resource):
    """A signed, windowed change of the capacity on offer. ``id`` as of a lease."""

    resources_key = "adjustments"
    base_path = "/capacity/adjustments"
    allow_create = True
    allow_fetch = True
    allow_list = True

    _query_mapping = resource.QueryParameters("provider", "zone", "start", "end", "source", "sort")

    provider = resource.Body("provider")
    zone = resource.Body("zone")
    start = resource.Body("start")
    end = resource.Body("end")
    #: By resource class.
    resources = resource.Body("resources", type=dict)
    source = resource.Body("source")
    project_ids = resource.Body("project_ids", type=list)
    force = resource.Body("force", type=bool)
    created_at = resource.Body("created_at")
    #: The first of the reservations that are broken by it, and how many there are.
    affected = resource.Body("affected", type=list)
    affected_count = resource.Body("affected_count", type=int)
    idempotency_key = resource.Header("Idempotency-Key")
