# SPDX-License-Identifier: Apache-2.0
"""Policies in code, under the rule names that Blazar's operators know: who may do what."""

import itertools
import logging

from oslo_config import cfg
from oslo_policy import policy

from promise_blazar.policies import adjustments, base, capacity, leases, oshosts

LOG = logging.getLogger(__name__)


class BadPolicyFile(ValueError):
    """A policy file that cannot be read; the message says why."""


def list_rules() -> list[policy.RuleDefault]:
    """Every rule with its default; entry point ``oslo.policy.policies``."""
    areas = (base, leases, oshosts, capacity, adjustments)
    return list(itertools.chain.from_iterable(area.list_rules() for area in areas))


def new_enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    """An enforcer of these rules, with what the operator's policy file overrides.

    Raises ``BadPolicyFile``: without its file it would allow what the operator forbids.
    """
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(list_rules())
    try:
        enforcer.load_rules()
    except ValueError as error:
        raise BadPolicyFile(f"The policy file {enforcer.policy_path}: {error}") from None
    for words in without_effect(conf, enforcer):
        LOG.warning("%s", words)
    return enforcer


def without_effect(conf: cfg.ConfigOpts, enforcer: policy.Enforcer) -> list[str]:
    """What the operator's file says that nothing here asks for, in sentences."""
    found = []
    said = conf.get_location("policy_file", "oslo_policy").location
    if enforcer.policy_path is None and said not in _UNSAID:
        found.append(
            f"[oslo_policy] policy_file: there is no {conf.oslo_policy.policy_file}; the rules in "
            "the code are in force"
        )
    former = {rule.deprecated_rule.name for rule in list_rules() if rule.deprecated_rule}
    # A name without a colon is the operator's own, for other rules to refer to.
    strange = {name for name in enforcer.file_rules if ":" in name}
    strange -= enforcer.registered_rules.keys() | former
    found += [f"Policy rule {name} has no effect: nothing asks for it" for name in sorted(strange)]
    return found


def get_enforcer() -> policy.Enforcer:
    """For oslo.policy's own commands; entry point ``oslo.policy.enforcer``."""
    cfg.CONF([], project="promise-blazar")
    return new_enforcer(cfg.CONF)


_UNSAID = (cfg.Locations.opt_default, cfg.Locations.set_default)
