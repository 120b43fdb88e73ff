# SPDX-License-Identifier: Apache-2.0
"""Rules for questions about what is free. The target is the caller's own project and user.

Everybody is shown numbers, never whose they are: a project its own view, the rule ``admin`` the
whole provider.
"""

from oslo_policy import policy

from promise_blazar.policies import base

GET = "capacity:get"
AVAILABILITY = "availability:get"


def list_rules() -> list[policy.RuleDefault]:
    return [
        policy.DocumentedRuleDefault(
            GET,
            base.PROJECT_READER_OR_ADMIN,
            "Ask how much capacity there is, and how much of it is free, over a window. The whole"
            " provider's view, and other projects', need the rule admin.",
            [{"path": "/v1/capacity", "method": "GET"}],
            scope_types=base.SCOPE,
        ),
        policy.DocumentedRuleDefault(
            AVAILABILITY,
            base.PROJECT_READER_OR_ADMIN,
            "Ask for the earliest windows in which reservations would be admitted.",
            [{"path": "/v1/availability", "method": "POST"}],
            scope_types=base.SCOPE,
        ),
    ]
