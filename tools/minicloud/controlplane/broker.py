# SPDX-License-Identifier: Apache-2.0
"""How is RabbitMQ configured?"""

import base64
import hashlib
import json

from controlplane.cloud import HOST, PASSWORD, Cloud
from controlplane.console import write

#: Of the notifications that nobody reads, RabbitMQ keeps the newest.
_KEPT = 10000


def write_config(cloud: Cloud) -> None:
    salt = b"mini"
    digest = hashlib.sha256(salt + PASSWORD.encode()).digest()
    definitions = {
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": "minicloud",
                "tags": "administrator",
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "password_hash": base64.b64encode(salt + digest).decode(),
            }
        ],
        "permissions": [
            {"user": "minicloud", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
        ],
        "policies": [
            {
                "vhost": "/",
                "name": "notifications",
                "priority": 0,
                "apply-to": "queues",
                "pattern": r"^(versioned_)?notifications\.",
                "definition": {"max-length": _KEPT, "overflow": "drop-head"},
            }
        ],
    }
    etc = cloud.etc / "rabbitmq"
    write(etc / "definitions.json", json.dumps(definitions, indent=2))
    lines = (
        f"listeners.tcp.1 = {HOST}:{cloud.port('rabbit')}",
        f"load_definitions = {etc / 'definitions.json'}",
        "vm_memory_high_watermark.absolute = 1GB",
        "disk_free_limit.absolute = 64MB",
        "log.console = true",
        "log.console.level = warning",
        "log.file = false",
        "",
    )
    write(etc / "rabbitmq.conf", "\n".join(lines))
    write(etc / "enabled_plugins", "[].\n")
    write(etc / "env.conf", "")
