# SPDX-License-Identifier: Apache-2.0
"""Options that a configuration file sets and that have no effect, so that somebody is told.

oslo.config keeps silent about them: a word that is spelt wrong, or that another service knows,
looks like a setting.
"""

import difflib
import glob
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keystoneauth1 import exceptions as auth_exceptions
from keystoneauth1 import loading
from oslo_config import cfg
from stevedore import named

from promise_blazar.conf import blazar, cloud

LOG = logging.getLogger(__name__)

#: Entry points of ``oslo.config.opts``: whose options one file may hold, as the sample does.
NAMESPACES = (
    "promise_blazar",
    "keystonemiddleware.auth_token",
    "oslo.db",
    "oslo.log",
    "oslo.messaging",
    "oslo.middleware.cors",
    "oslo.middleware.http_proxy_to_wsgi",
    "oslo.middleware.sizelimit",
    "oslo.middleware.tracing",
    "oslo.policy",
)
#: Sections with the options of whichever keystoneauth plugin they name.
_LOGINS = (cloud.AUTH_GROUP, "keystone_authtoken")
#: Sections that a library knows, and that nothing here asks the library for.
_NEVER_ASKED = ("oslo_messaging_notifications",)

Names = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Unheeded:
    """``why``: what the service does instead, or that it knows no such option."""

    section: str
    option: str
    why: str

    def __str__(self) -> str:
        return f"[{self.section}] {self.option} has no effect: {self.why}"


def warn(conf: cfg.ConfigOpts) -> None:
    """Name each in the log."""
    for each in unheeded(conf):
        LOG.warning("%s", each)


def unheeded(conf: cfg.ConfigOpts) -> list[Unheeded]:
    """Those in the files that ``conf`` has read, by section and name."""
    found = sections(conf)
    if not found:
        return []
    known = known_options(found)
    return [
        Unheeded(section, option, blazar.fate(section, option) or _guess(option, known, section))
        for section, options in sorted(found.items())
        for option in sorted(options)
        if section in _NEVER_ASKED or option not in known.get(section, ())
        if not blazar.is_heeded(section, option, found)
    ]


def sections(conf: cfg.ConfigOpts) -> blazar.Sections:
    """What the files say, as it stands there."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in _files(conf):
        parsed: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(path, parsed).parse()
        for section, options in parsed.items():
            name = section if section == "DEFAULT" else section.lower()
            for option, values in options.items():
                found.setdefault(name, {}).setdefault(option, []).extend(values)
    return found


def _files(conf: cfg.ConfigOpts) -> Iterator[str]:
    yield from (path for path in conf.config_file if os.path.isfile(path))
    for directory in conf.config_dirs or conf.default_config_dirs:
        yield from sorted(glob.glob(os.path.join(os.path.expanduser(directory), "*.conf")))


def known_options(found: blazar.Sections) -> Names:
    """The names of all options, by section: of today, and those that they had before."""
    known: Names = {}
    manager = named.NamedExtensionManager(
        "oslo.config.opts", names=list(NAMESPACES), warn_on_missing_entrypoint=False
    )
    for extension in manager:
        for group, options in extension.plugin():
            _add(known, _name(group), options)
    for section in _LOGINS:
        _add_login(known, found, section)
    return known


def _add_login(known: Names, found: blazar.Sections, section: str) -> None:
    """The options of the plugin that a section names, there or in the section it points to."""
    login = [*loading.get_auth_common_conf_options()]
    _add(known, section, login)
    said: Mapping[str, list[str]] = found.get(section, {})
    elsewhere = said.get("auth_section")
    if elsewhere:
        section = elsewhere[-1].lower()
        said = found.get(section, {})
        _add(known, section, login)
    plugin = said.get("auth_type") or said.get("auth_plugin")
    if plugin:
        try:
            _add(known, section, loading.get_auth_plugin_conf_options(plugin[-1]))
        except auth_exceptions.NoMatchingPlugin:
            # Whose options they are is told by who logs in with them.
            known.setdefault(section, set()).update(said)


def _add(known: Names, section: str, options: Iterable[Any]) -> None:
    for option in options:
        known.setdefault(section, set()).update((option.name, option.dest))
        for former in option.deprecated_opts:
            name = former.name or option.dest
            known.setdefault(_name(former.group, section), set()).add(name)


def _name(group: Any, otherwise: str = "DEFAULT") -> str:
    name = getattr(group, "name", group) or otherwise
    return name if name == "DEFAULT" else str(name).lower()


def _guess(option: str, known: Names, section: str) -> str:
    if section not in known:
        return "there is no such section"
    near = difflib.get_close_matches(option, known[section], 1, 0.8)
    return f"there is no such option; {near[0]} is one" if near else "there is no such option"
