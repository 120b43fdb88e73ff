# SPDX-License-Identifier: Apache-2.0
"""Rules for hosts. Hosts belong to no project; the target is the caller's own."""

from oslo_policy import policy

from promise_blazar.policies import base

GET = "blazar:oshosts:get"
POST = "blazar:oshosts:post"
PUT = "blazar:oshosts:put"
DELETE = "blazar:oshosts:delete"
GET_ALLOCATIONS = "blazar:oshosts:get_allocations"
GET_PROPERTIES = "blazar:oshosts:get_resource_properties"
UPDATE_PROPERTIES = "blazar:oshosts:update_resource_properties"


def list_rules() -> list[policy.RuleDefault]:
    return [
        policy.DocumentedRuleDefault(
            GET,
            base.ADMIN,
            "Show the hosts that are lent.",
            [
                {"path": "/v1/os-hosts", "method": "GET"},
                {"path": "/v1/os-hosts/{host_id}", "method": "GET"},
            ],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            POST,
            base.ADMIN,
            "Lend a host.",
            [{"path": "/v1/os-hosts", "method": "POST"}],
            scope_types=base.SCOPE,
            deprecated_rule=base.formerly("blazar:oshosts:create", base.ADMIN),
        ),
        policy.DocumentedRuleDefault(
            PUT,
            base.ADMIN,
            "Set or remove extra capabilities of a host.",
            [{"path": "/v1/os-hosts/{host_id}", "method": "PUT"}],
            scope_types=base.SCOPE,
            deprecated_rule=base.formerly("blazar:oshosts:update", base.ADMIN),
        ),
        policy.DocumentedRuleDefault(
            DELETE,
            base.ADMIN,
            "Give a host back to ordinary use.",
            [{"path": "/v1/os-hosts/{host_id}", "method": "DELETE"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            GET_ALLOCATIONS,
            base.ADMIN,
            "Show which reservations hold which hosts, of all projects.",
            [
                {"path": "/v1/os-hosts/allocations", "method": "GET"},
                {"path": "/v1/os-hosts/{host_id}/allocation", "method": "GET"},
            ],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            GET_PROPERTIES,
            base.ADMIN,
            "Show the properties by which hosts can be chosen. Private ones need the rule admin.",
            [{"path": "/v1/os-hosts/properties", "method": "GET"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            UPDATE_PROPERTIES,
            base.ADMIN,
            "Make a property private or public.",
            [{"path": "/v1/os-hosts/properties/{property_name}", "method": "PATCH"}],
            scope_types=base.SCOPE,
        ),
    ]
