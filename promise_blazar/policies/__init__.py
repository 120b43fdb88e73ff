# SPDX-License-Identifier: Apache-2.0
"""Policies in code, under the rule names that Blazar's operators know: who may do what."""

import itertools

from oslo_config import cfg
from oslo_policy import policy

from promise_blazar.policies import base, leases, oshosts


def list_rules() -> list[policy.RuleDefault]:
    """Every rule with its default; entry point ``oslo.policy.policies``."""
    return list(itertools.chain(base.list_rules(), leases.list_rules(), oshosts.list_rules()))


def new_enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """An enforcer of these rules, with what the operator's policy file overrides."""
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(list_rules())
    return enforcer


def get_enforcer() -> policy.Enforcer:
    """For oslo.policy's own commands; entry point ``oslo.policy.enforcer``."""
    cfg.CONF([], project="promise-blazar")
    return new_enforcer(cfg.CONF)
