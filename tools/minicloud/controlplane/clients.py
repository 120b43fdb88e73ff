# SPDX-License-Identifier: Apache-2.0
"""How does a client reach the cloud? Its users, clouds.yaml, and variables for a shell."""

import json
import shlex

from controlplane.cloud import PASSWORD, REGION, Cloud
from controlplane.console import Failed, write

#: User: project.
USERS = {
    "admin": "admin",
    "demo": "demo",
    "other": "other",
    "reader": "demo",
    "promise": "service",
    "nova": "service",
}


def write_clouds_yaml(cloud: Cloud) -> None:
    clouds = {
        user: {
            "region_name": REGION,
            "identity_api_version": 3,
            "auth": {
                "auth_url": cloud.auth_url,
                "username": user,
                "password": PASSWORD,
                "project_name": project,
                "user_domain_id": "default",
                "project_domain_id": "default",
            },
        }
        for user, project in USERS.items()
    }
    # YAML reads JSON.
    text = json.dumps({"clouds": clouds}, indent=2)
    write(cloud.etc / "clouds.yaml", text + "\n")


def environment(cloud: Cloud, user: str) -> str:
    """Shell code that makes its shell a user's. Raises ``Failed``."""
    if user not in USERS:
        raise Failed(f"no user {user}; there are {', '.join(USERS)}")
    values = {
        "OS_AUTH_URL": cloud.auth_url,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_AUTH_TYPE": "password",
        "OS_REGION_NAME": REGION,
        "OS_USERNAME": user,
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": USERS[user],
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        # Nova before 2.37 cannot boot a server without a network.
        "OS_COMPUTE_API_VERSION": "2.latest",
        "OS_PLACEMENT_API_VERSION": "1.39",
        "OS_CLIENT_CONFIG_FILE": str(cloud.etc / "clouds.yaml"),
        "MINICLOUD_HOME": str(cloud.home),
        "MINICLOUD_TRANSPORT_URL": cloud.transport_url,
        "MINICLOUD_DATABASE_URL": cloud.database_url("promise"),
        "MINICLOUD_MEMCACHED": cloud.memcached,
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    lines.append(f'export PATH={shlex.quote(str(cloud.bin))}:"$PATH"')
    return "\n".join(lines)
