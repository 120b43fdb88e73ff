# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-status upgrade check``: whether this release can run on what is there."""

import sys
from pathlib import Path

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from promise_blazar import exceptions, policies
from promise_blazar.cloud import registry
from promise_blazar.cmd import common, state
from promise_blazar.conf import blazar, unheeded
from promise_blazar.db import migrate
from promise_blazar.db.session import BadUrl
from promise_blazar.plugins import registry as plugins

SUCCESS, WARNING, FAILURE = (
    upgradecheck.Code.SUCCESS,
    upgradecheck.Code.WARNING,
    upgradecheck.Code.FAILURE,
)


def _result(warnings: list[str]) -> upgradecheck.Result:
    if not warnings:
        return upgradecheck.Result(SUCCESS)
    return upgradecheck.Result(WARNING, ". ".join(warnings))


class Checks(upgradecheck.UpgradeCommands):
    def configuration(self) -> upgradecheck.Result:
        """Every option of the files has an effect, and a value that it can have."""
        try:
            common.opts.check(cfg.CONF)
        except cfg.Error as error:
            return upgradecheck.Result(FAILURE, str(error))
        enabled = cfg.CONF.manager.plugins
        try:
            plugins.installed(enabled)
        except plugins.MissingTypes as error:
            return upgradecheck.Result(FAILURE, f"[manager] plugins: {error}")
        absent = [plugins.not_yet(name) for name in enabled if name in plugins.NOT_YET]
        return _result([*map(str, unheeded.unheeded(cfg.CONF)), *absent])

    def policy(self) -> upgradecheck.Result:
        """Every rule of the policy file is asked for."""
        try:
            enforcer = policies.new_enforcer(cfg.CONF)
        except policies.BadPolicyFile as error:
            return upgradecheck.Result(FAILURE, str(error))
        return _result(policies.without_effect(cfg.CONF, enforcer))

    def schema(self) -> upgradecheck.Result:
        """The schema is this release's, or a later one's."""
        try:
            database = common.database(cfg.CONF)
            at, later = migrate.version(database), migrate.is_later(database)
        except (exceptions.Unavailable, BadUrl, migrate.Foreign, SystemExit) as error:
            return upgradecheck.Result(FAILURE, str(error))
        if at == migrate.latest():
            return upgradecheck.Result(SUCCESS)
        if later:
            return upgradecheck.Result(WARNING, common.later(at))
        return upgradecheck.Result(
            FAILURE,
            f"The schema is at {at}, this release needs {migrate.latest()}: run "
            "promise-blazar-manage db sync",
        )

    def cloud(self) -> upgradecheck.Result:
        """OpenStack answers us."""
        try:
            blazar.take_login(cfg.CONF, unheeded.sections(cfg.CONF))
            count = len(registry.cloud(cfg.CONF).hypervisors.list())
        except (exceptions.CloudError, cfg.Error) as error:
            return upgradecheck.Result(FAILURE, str(error))
        if count > PLACEMENT_RESULTS:
            return upgradecheck.Result(
                WARNING,
                f"There are {count} hypervisors. Nova's [scheduler] max_placement_results "
                f"(default {PLACEMENT_RESULTS}) must not be smaller, or hinted servers may "
                "not find their hosts",
            )
        return upgradecheck.Result(SUCCESS)

    _upgrade_checks = (
        ("Configuration", configuration),
        ("Policy", policy),
        ("Schema", schema),
        ("OpenStack", cloud),
    )


#: Nova's default; its own configuration is not ours to read.
PLACEMENT_RESULTS = 1000


@common.in_one_line()
def main() -> int:
    conf, arguments = cfg.CONF, sys.argv[1:]
    common.opts.register(conf)
    conf.register_cli_opt(state.OPTION)
    upgradecheck.register_cli_options(conf, Checks())
    conf(arguments, project=common.PROJECT, default_config_files=[], default_config_dirs=[])
    if conf.state_dir is None:
        conf(arguments, project=common.PROJECT)
    else:
        state.use(conf, state.existing(Path(conf.state_dir)))
    # As its own main does: the format of the output is found there.
    upgradecheck.CONF = conf
    return upgradecheck.run(conf)
