# SPDX-License-Identifier: Apache-2.0
"""Options of Blazar's own configuration file, for operators who bring theirs along.

What means the same here has its old name on the new option (``deprecated_opts``). Here is what
the others are in this service, and the login, which Blazar spreads over nine options.
"""

import logging
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

from promise_blazar.conf import cloud

LOG = logging.getLogger(__name__)

#: Values by option, values by section: as ``oslo.config`` parses a file.
Sections = Mapping[str, Mapping[str, list[str]]]

_LOGIN = "who the service is goes into [openstack], as for any keystoneauth plugin"
_LIMITS = "leases are not limited by it: nothing enforces usage yet"
_HEALING = (
    "hosts that are down or disabled are asked for every ten seconds and taken last, and no lease "
    "that runs is moved"
)
_NOT_SENT = "no notifications are sent yet"
_VERSIONS = "the versions of OpenStack's APIs are the service's own"

#: Of [DEFAULT]: who the service is, and where it logs in.
_LOGIN_OPTIONS = (
    "os_auth_protocol",
    "os_auth_host",
    "os_auth_port",
    "os_auth_prefix",
    "os_admin_username",
    "os_admin_password",
    "os_admin_project_name",
    "os_admin_user_domain_name",
    "os_admin_project_domain_name",
)
#: With less of them there is no login.
_ENOUGH = {"os_admin_username", "os_admin_password"}

#: What became of an option that has no sibling, by section and name; "*" is the whole section.
WITHOUT_SIBLING: Mapping[str, Mapping[str, str]] = {
    "DEFAULT": {
        "cleaning_time": "a lease may follow another on a host at once, when that is released",
        "log_exchange": "requests are logged one line each, and bodies never",
        "enable_v1_api": "API v1 is always served",
        "db_driver": "there is one",
        "os_auth_version": "Keystone's v3 is used",
        "keystone_client_version": _VERSIONS,
        "identity_service": "Keystone is where [openstack] auth_url says",
        "endpoint_type": "say it as valid_interfaces, for each of [nova] and [placement]",
        **dict.fromkeys(_LOGIN_OPTIONS, _LOGIN),
    },
    "api": {"api_v2_controllers": "there is no API v2; v1 is served"},
    "manager": {
        "event_max_retries": "[manager] start_attempts counts tries, the first one included",
    },
    "nova": {
        "nova_client_version": _VERSIONS,
        "az_aware": "hosts have the zones that Nova gives them",
        "project_id_key": "projects that may enter are keys of the aggregate's metadata",
    },
    "neutron": {"*": "floating IPs cannot be leased yet"},
    "virtual:floatingip": {"*": "floating IPs cannot be leased yet"},
    "physical:host": {
        "enable_notification_monitor": _HEALING,
        "notification_topics": _HEALING,
        "enable_polling_monitor": _HEALING,
        "polling_interval": _HEALING,
        "healing_interval": _HEALING,
        "randomize_host_selection": "the same request is promised the same hosts",
        "blazar_username": _LOGIN,
        "blazar_password": _LOGIN,
        "blazar_project_name": _LOGIN,
        "project_id_key": "projects that may enter are keys of the aggregate's metadata",
    },
    "virtual:instance": {"*": "there is nothing to choose for it"},
    "enforcement": {"*": _LIMITS},
    "notifications": {"*": _NOT_SENT},
    "oslo_messaging_notifications": {"*": _NOT_SENT},
    "oslo_concurrency": {"*": "no files are locked"},
    "healthcheck": {"*": "/healthcheck needs no setting"},
}


def fate(section: str, option: str) -> str | None:
    """What the option of Blazar's is here; None for one that Blazar does not have either."""
    known = WITHOUT_SIBLING.get(section, {})
    return known.get(option) or known.get("*")


def logs_in(found: Sections) -> bool:
    """Whether the service logs in as Blazar did: ``[openstack]`` says nothing, and Blazar's do."""
    ours = found.get(cloud.AUTH_GROUP, {}).keys()
    theirs = found.get("DEFAULT", {}).keys()
    return not ours & {"auth_type", "auth_plugin", "auth_section"} and theirs >= _ENOUGH


def is_heeded(section: str, option: str, found: Sections) -> bool:
    """Whether the option is one of those that the service logs in by."""
    return section == "DEFAULT" and option in _LOGIN_OPTIONS and logs_in(found)


def take_login(conf: cfg.ConfigOpts, found: Sections) -> None:
    """Let the service log in as Blazar did, where ``logs_in`` says so."""
    if not logs_in(found):
        return
    words = {name: values[-1] for name, values in found["DEFAULT"].items()}
    # Its options are registered again, as the same, when the session is made.
    conf.register_opts(loading.get_auth_plugin_conf_options("password"), group=cloud.AUTH_GROUP)
    for name, value in _login(words).items():
        conf.set_default(name, value, group=cloud.AUTH_GROUP)
    LOG.warning(
        "[openstack] has no auth_type: the service logs in as Blazar did, as %s at %s, by "
        "[DEFAULT] os_admin_username and the like; write it into [openstack]",
        words["os_admin_username"],
        _login(words)["auth_url"],
    )


def _login(words: Mapping[str, str]) -> Mapping[str, Any]:
    """The options of ``[openstack]`` for Blazar's; what is not said is Blazar's default."""
    host = words.get("os_auth_host", "127.0.0.1")
    base = ":".join(
        (
            words.get("os_auth_protocol", "http"),
            f"//[{host}]" if ":" in host else f"//{host}",
            words.get("os_auth_port", "5000"),
        )
    )
    prefix = words.get("os_auth_prefix", "").strip("/")
    return {
        "auth_type": "password",
        "auth_url": "/".join(filter(None, (base, prefix, "v3"))),
        "username": words["os_admin_username"],
        "password": words["os_admin_password"],
        "project_name": words.get("os_admin_project_name", "admin"),
        "user_domain_name": words.get("os_admin_user_domain_name", "Default"),
        "project_domain_name": words.get("os_admin_project_domain_name", "Default"),
    }
