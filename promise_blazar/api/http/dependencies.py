# SPDX-License-Identifier: Apache-2.0
"""What handlers work with, and may their caller do it?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import flask
from oslo_config import cfg
from oslo_policy import policy

from promise_blazar import exceptions
from promise_blazar.api.http.lease_cache import Memory
from promise_blazar.cloud.contract.server_groups import TenantServerGroups
from promise_blazar.manager.contract.interface import Manager

_KEY = "promise_blazar"


@dataclass(frozen=True, slots=True)
class Services:
    """The application's collaborators, handed in when it is made."""

    conf: cfg.ConfigOpts
    manager: Manager
    groups: TenantServerGroups
    enforcer: policy.Enforcer
    memory: Memory = field(default_factory=Memory)


def register(app: flask.Flask, services: Services) -> None:
    app.extensions[_KEY] = services


def services() -> Services:
    """Those of the application that serves the current request."""
    found: Services = flask.current_app.extensions[_KEY]
    return found


def allowed(rule: str, target: Mapping[str, str]) -> bool:
    """Does the policy let the caller do this to the target?"""
    return bool(services().enforcer.authorize(rule, target, flask.g.credentials))


def authorize(rule: str, target: Mapping[str, str]) -> None:
    """Raises ``PolicyNotAuthorized``."""
    if not allowed(rule, target):
        raise exceptions.PolicyNotAuthorized(action=rule)
