# SPDX-License-Identifier: Apache-2.0
"""State directory of a standalone service: what is kept in it, for each command that uses it."""

from pathlib import Path

from oslo_config import cfg

DATABASE = "promise-blazar.sqlite"
CLOUD = "simulated-cloud.sqlite"

#: Of operators' commands. With it they read no files but those that their arguments name.
OPTION = cfg.StrOpt(
    "state-dir",
    metavar="DIR",
    help="The state directory of a standalone service, which may be running. The machine's own "
    "configuration files are not read then.",
)


def make(directory: Path) -> Path:
    """The directory, as an absolute path; made if it is missing. Raises ``SystemExit``."""
    found = directory.resolve()
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"nothing can be kept in {found}: {error.strerror}") from None
    return found


def existing(directory: Path) -> Path:
    """One that a standalone service has kept something in. Raises ``SystemExit``."""
    found = directory.resolve()
    if not (found / DATABASE).is_file():
        raise SystemExit(
            f"{found} is not the state directory of a standalone service: it has no {DATABASE}"
        )
    return found


def use(conf: cfg.ConfigOpts, directory: Path) -> None:
    """Let the service be what is kept there, as far as no configuration file says otherwise."""
    conf.set_default("connection", f"sqlite:///{directory / DATABASE}", "database")
    conf.set_default("auth_strategy", "noauth", "api")
    conf.set_default("driver", "simulated", "cloud")
    conf.set_default("simulated_state", str(directory / CLOUD), "cloud")
