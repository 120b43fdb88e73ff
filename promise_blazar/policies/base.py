# SPDX-License-Identifier: Apache-2.0
"""The personas that the other rules are made of (secure RBAC, project scope)."""

from oslo_policy import policy

ADMIN = "rule:admin"
PROJECT_MEMBER_OR_ADMIN = "rule:project_member_or_admin"
PROJECT_READER_OR_ADMIN = "rule:project_reader_or_admin"

SCOPE = ["project"]


def list_rules() -> list[policy.RuleDefault]:
    return [
        policy.RuleDefault("admin", "role:admin", description="The operator of the cloud."),
        policy.RuleDefault(
            "project_member_api",
            "role:member and project_id:%(project_id)s",
            description="Someone who works in the project that owns the object.",
        ),
        policy.RuleDefault(
            "project_reader_api",
            "role:reader and project_id:%(project_id)s",
            description="Someone who may look into the project that owns the object.",
        ),
        policy.RuleDefault(
            "project_member_or_admin",
            "rule:project_member_api or rule:admin",
            description="A member of the owning project, or the operator.",
        ),
        policy.RuleDefault(
            "project_reader_or_admin",
            "rule:project_reader_api or rule:admin",
            description="A reader of the owning project, or the operator.",
        ),
        policy.RuleDefault(
            "admin_or_owner",
            "rule:admin or project_id:%(project_id)s",
            description="Anybody of the owning project, or the operator.",
            deprecated_for_removal=True,
            deprecated_reason="It asks for no role. Blazar's policy files have it still.",
            deprecated_since="the first release",
        ),
    ]


def formerly(name: str, check: str) -> policy.DeprecatedRule:
    """The name that a rule had in Blazar's first policy files, which it is still read under."""
    return policy.DeprecatedRule(
        name,
        check,
        deprecated_reason="Blazar gave it the name of the HTTP verb.",
        deprecated_since="the first release",
    )
