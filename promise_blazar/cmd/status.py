# SPDX-License-Identifier: Apache-2.0
"""``promise-blazar-status upgrade check``: whether this release can run on what is there."""

import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from promise_blazar import exceptions
from promise_blazar.cloud import registry
from promise_blazar.cmd import common
from promise_blazar.db import migrate


class Checks(upgradecheck.UpgradeCommands):
    def schema(self) -> upgradecheck.Result:
        """The schema is this release's."""
        try:
            at = migrate.version(common.database(cfg.CONF))
        except exceptions.Unavailable as error:
            return upgradecheck.Result(upgradecheck.Code.FAILURE, error.message)
        if at == migrate.latest():
            return upgradecheck.Result(upgradecheck.Code.SUCCESS)
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            f"The schema is at {at}, this release needs {migrate.latest()}: run "
            "promise-blazar-manage db sync",
        )

    def cloud(self) -> upgradecheck.Result:
        """OpenStack answers us."""
        try:
            count = len(registry.cloud(cfg.CONF).hypervisors.list())
        except exceptions.CloudError as error:
            return upgradecheck.Result(upgradecheck.Code.FAILURE, error.message)
        if count > PLACEMENT_RESULTS:
            return upgradecheck.Result(
                upgradecheck.Code.WARNING,
                f"There are {count} hypervisors. Nova's [scheduler] max_placement_results "
                f"(default {PLACEMENT_RESULTS}) must not be smaller, or hinted servers may "
                "not find their hosts",
            )
        return upgradecheck.Result(upgradecheck.Code.SUCCESS)

    _upgrade_checks = (("Schema", schema), ("OpenStack", cloud))


#: Nova's default; its own configuration is not ours to read.
PLACEMENT_RESULTS = 1000


@common.in_one_line()
def main() -> int:
    common.opts.register(cfg.CONF)
    return int(upgradecheck.main(cfg.CONF, common.PROJECT, Checks(), sys.argv[1:]))
