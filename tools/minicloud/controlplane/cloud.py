# SPDX-License-Identifier: Apache-2.0
"""What is one minicloud? What it was asked for, where it lives, and on which ports."""

import contextlib
import dataclasses
import json
from pathlib import Path

from controlplane import console

HOST = "127.0.0.1"
REGION = "RegionOne"
PASSWORD = "minicloud"  # of every account; the cloud is on loopback only

#: The scripts that the cloud's own Python runs, and the versions it is made of.
TOOL = Path(__file__).resolve().parent.parent
INSIDE = TOOL / "inside"

PORTS = {
    name: offset
    for offset, name in enumerate(
        (
            "mysql",
            "rabbit",
            "rabbit-dist",
            "epmd",
            "memcached",
            "keystone",
            "placement",
            "glance",
            "nova",
            "neutron",
        )
    )
}


@dataclasses.dataclass
class Settings:
    """What ``up`` was asked for; kept for the commands that follow."""

    computes: int = 4
    vcpus: int = 16
    memory_mb: int = 65536
    disk_gb: int = 1024
    port_base: int = 21300
    python: str = ""
    promise_roles: list[str] = dataclasses.field(default_factory=lambda: ["service", "admin"])
    scheduler_filter_path: list[str] = dataclasses.field(default_factory=list)
    available_filters: list[str] = dataclasses.field(default_factory=list)
    enabled_filters: list[str] = dataclasses.field(default_factory=list)
    nova_packages: list[str] = dataclasses.field(default_factory=list)
    extra_config: list[str] = dataclasses.field(default_factory=list)


class Cloud:
    """Paths, ports and settings of one minicloud."""

    def __init__(self, home: str | Path) -> None:
        self.home = Path(home).expanduser().resolve()
        self.venv = self.home / "venv"
        self.bin = self.venv / "bin"
        #: Says which versions are installed; services restart when it changes.
        self.installed = self.venv / "minicloud-installed"
        #: Says that the first ``up`` was completed, and with which versions.
        self.initialised = self.home / "initialised"
        self.pristine = self.home / "pristine"
        self.etc = self.home / "etc"
        self.log = self.home / "log"
        self.run = self.home / "run"
        self.data = self.home / "data"
        self._settings_file = self.home / "settings.json"
        self.exists = self._settings_file.exists()
        self.settings = Settings()
        with contextlib.suppress(FileNotFoundError):
            saved = json.loads(self._settings_file.read_text())
            known = {field.name for field in dataclasses.fields(Settings)}
            self.settings = Settings(**{k: v for k, v in saved.items() if k in known})

    def save_settings(self) -> None:
        text = json.dumps(dataclasses.asdict(self.settings), indent=2)
        console.write(self._settings_file, text + "\n")

    def forget_settings(self) -> None:
        self._settings_file.unlink(missing_ok=True)

    @property
    def hosts(self) -> list[str]:
        return [f"compute-{number}" for number in range(1, self.settings.computes + 1)]

    def port(self, name: str) -> int:
        return self.settings.port_base + PORTS[name]

    def url(self, name: str, path: str = "") -> str:
        return f"http://{HOST}:{self.port(name)}{path}"

    @property
    def auth_url(self) -> str:
        return self.url("keystone", "/v3")

    @property
    def memcached(self) -> str:
        return f"{HOST}:{self.port('memcached')}"

    @property
    def mysql_socket(self) -> Path:
        return self.run / "mysql.sock"

    def database_url(self, name: str) -> str:
        where = f"{HOST}:{self.port('mysql')}"
        return f"mysql+pymysql://minicloud:{PASSWORD}@{where}/{name}?charset=utf8"

    @property
    def transport_url(self) -> str:
        return f"rabbit://minicloud:{PASSWORD}@{HOST}:{self.port('rabbit')}/"

    def log_of(self, service: str) -> Path:
        return self.log / f"{service}.log"
