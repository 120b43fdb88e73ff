# SPDX-License-Identifier: Apache-2.0
"""Rules for adjustments. They belong to no project; the target is the caller's own."""

from oslo_policy import policy

from promise_blazar.policies import base

CREATE = "adjustment:create"
LIST = "adjustment:list"
SHOW = "adjustment:show"
DELETE = "adjustment:delete"


def list_rules() -> list[policy.RuleDefault]:
    return [
        policy.DocumentedRuleDefault(
            CREATE,
            base.ADMIN,
            "Announce or withdraw capacity for a window, or set some of it aside for projects.",
            [{"path": "/v1/capacity/adjustments", "method": "POST"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            LIST,
            base.ADMIN,
            "List adjustments, with the projects that some are for.",
            [{"path": "/v1/capacity/adjustments", "method": "GET"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            SHOW,
            base.ADMIN,
            "Show an adjustment.",
            [{"path": "/v1/capacity/adjustments/{adjustment_id}", "method": "GET"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            DELETE,
            base.ADMIN,
            "Take an adjustment back.",
            [{"path": "/v1/capacity/adjustments/{adjustment_id}", "method": "DELETE"}],
            scope_types=base.SCOPE,
        ),
    ]
