# SPDX-License-Identifier: Apache-2.0
"""The collaborators that handlers work with, and the policies that their callers must meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import flask
from oslo_config import cfg
from oslo_policy import policy

from promise_blazar import exceptions
from promise_blazar.api.http.large_answers import LargeAnswers
from promise_blazar.api.http.lease_cache import LeaseCache
from promise_blazar.api.http.question_rate import QuestionRate
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.tenants import Caller, TenantCloud
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.waiters import Waiters

_KEY = "promise_blazar"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """An application's collaborators, handed in when it is made.

    ``cloud``: what callers' own tokens do. ``waiters``: requests that wait for what managers carry
    out. ``questions``: how many of them each project may ask. ``large``: answers in the making.
    """

    conf: cfg.ConfigOpts
    manager: Manager
    cloud: TenantCloud
    enforcer: policy.Enforcer
    waiters: Waiters
    questions: QuestionRate
    large: LargeAnswers
    clock: Clock
    lease_cache: LeaseCache = field(default_factory=LeaseCache)


def register(app: flask.Flask, found: Dependencies) -> None:
    """Give an application its own."""
    app.extensions[_KEY] = found


def dependencies() -> Dependencies:
    """Those of the application that serves the current request."""
    found: Dependencies = flask.current_app.extensions[_KEY]
    return found


def own() -> dict[str, str]:
    """The caller's own project and user: the target of lists, and of what has no owner.

    So a rule that asks for the owning project is met by whoever asks, as operators' files expect.
    """
    return {"project_id": flask.g.context.project_id, "user_id": flask.g.context.user_id}


def allowed(rule: str, target: Mapping[str, str]) -> bool:
    """Whether the policy lets the caller do this to the target.

    ``target``: the ``project_id`` and ``user_id`` of what it is done to, or ``own()``; empty for
    what is everybody's.
    """
    return bool(dependencies().enforcer.authorize(rule, target, flask.g.credentials))


def caller() -> RequestContext:
    """The caller, for what administrators are answered otherwise."""
    return replace(flask.g.context, is_admin=allowed("admin", own()))


def owner_of_token() -> Caller:
    """The same, with the token, for what OpenStack does for nobody else."""
    context = flask.g.context
    return Caller(
        flask.g.token, context.user_id, context.project_id, is_admin=allowed("admin", own())
    )


def authorize(rule: str, target: Mapping[str, str]) -> None:
    """The same as a demand. Raises ``PolicyNotAuthorized``."""
    if not allowed(rule, target):
        raise exceptions.PolicyNotAuthorized(action=rule)
