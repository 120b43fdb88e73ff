# SPDX-License-Identifier: Apache-2.0
"""Rules for leases. The target is the lease: its ``project_id`` and ``user_id``.

``get`` also decides what exists for a caller: a lease that it does not allow is "not found" to
every call. And it decides the width of a list: whoever passes it without any target (by default
only the admin, since no project is named) sees every project's leases, everyone else those of
the own project.
"""

from oslo_policy import policy

from promise_blazar.policies import base

GET = "blazar:leases:get"
POST = "blazar:leases:post"
PUT = "blazar:leases:put"
DELETE = "blazar:leases:delete"


def list_rules() -> list[policy.RuleDefault]:
    return [
        policy.DocumentedRuleDefault(
            GET,
            base.PROJECT_READER_OR_ADMIN,
            "Show leases. Where it fails, a lease does not exist for the caller.",
            [
                {"path": "/v1/leases", "method": "GET"},
                {"path": "/v1/leases/{lease_id}", "method": "GET"},
            ],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            POST,
            base.PROJECT_MEMBER_OR_ADMIN,
            "Create a lease.",
            [{"path": "/v1/leases", "method": "POST"}],
            scope_types=base.SCOPE,
            deprecated_rule=base.formerly("blazar:leases:create", base.PROJECT_MEMBER_OR_ADMIN),
        ),
        policy.DocumentedRuleDefault(
            PUT,
            base.PROJECT_MEMBER_OR_ADMIN,
            "Change a lease.",
            [{"path": "/v1/leases/{lease_id}", "method": "PUT"}],
            scope_types=base.SCOPE,
            deprecated_rule=base.formerly("blazar:leases:update", base.PROJECT_MEMBER_OR_ADMIN),
        ),
        policy.DocumentedRuleDefault(
            DELETE,
            base.PROJECT_MEMBER_OR_ADMIN,
            "Delete a lease.",
            [{"path": "/v1/leases/{lease_id}", "method": "DELETE"}],
            scope_types=base.SCOPE,
        ),
    ]
