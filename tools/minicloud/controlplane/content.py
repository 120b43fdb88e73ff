# SPDX-License-Identifier: Apache-2.0
"""What is in a fresh cloud? Users, projects, roles, the catalogue, flavors and an image."""

from controlplane.cloud import PASSWORD, REGION, Cloud
from controlplane.rest import Api

#: Place: (name, type, path) of the service in the catalogue.
_ENDPOINTS = {
    "placement": ("placement", "placement", ""),
    "glance": ("glance", "image", ""),
    "nova": ("nova", "compute", "/v2.1"),
    "neutron": ("neutron", "network", ""),
}
#: Name, VCPUs, memory in MB, disk in GB.
_FLAVORS = (
    ("m1.tiny", 1, 512, 1),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
)
IMAGE = "tiny"


def create_identities(cloud: Cloud) -> None:
    keystone = Api(cloud)
    projects = {
        name: keystone.ensure("projects", name=name, domain_id="default")
        for name in ("admin", "service", "demo", "other")
    }
    roles = {
        name: keystone.ensure("roles", name=name)
        for name in ("admin", "member", "reader", "service")
    }

    def user(name: str, project: str, *names: str) -> None:
        user_id = keystone.ensure("users", name=name, password=PASSWORD, domain_id="default")
        for role in names:
            keystone.keystone(
                "PUT", f"/projects/{projects[project]}/users/{user_id}/roles/{roles[role]}"
            )

    user("demo", "demo", "member")
    user("other", "other", "member")
    user("reader", "demo", "reader")
    # Nova asks Placement and Neutron on its own behalf; Placement wants the service role for
    # that, Neutron the admin or the service role.
    for name in ("nova", "placement", "glance", "neutron"):
        user(name, "service", "service", "admin")
    user("promise", "service", *cloud.settings.promise_roles)
    _create_endpoints(cloud, keystone)


def _create_endpoints(cloud: Cloud, keystone: Api) -> None:
    existing = {
        (endpoint["service_id"], endpoint["interface"])
        for endpoint in keystone.keystone("GET", "/endpoints")["endpoints"]
    }
    for place, (name, kind, path) in _ENDPOINTS.items():
        service_id = keystone.ensure("services", name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            if (service_id, interface) not in existing:
                endpoint = {
                    "service_id": service_id,
                    "interface": interface,
                    "region_id": REGION,
                    "url": cloud.url(place, path),
                }
                keystone.keystone("POST", "/endpoints", {"endpoint": endpoint})


def create_resources(cloud: Cloud) -> None:
    admin = Api(cloud)
    have = {flavor["name"] for flavor in admin.nova("GET", "/flavors?is_public=None")["flavors"]}
    for name, vcpus, ram, disk in _FLAVORS:
        if name not in have:
            flavor = {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
            admin.nova("POST", "/flavors", {"flavor": flavor})
    if not admin.glance("GET", f"/images?name={IMAGE}")["images"]:
        form = {"disk_format": "raw", "container_format": "bare", "visibility": "public"}
        image = admin.glance("POST", "/images", {"name": IMAGE, **form})
        admin.glance(
            "PUT",
            f"/images/{image['id']}/file",
            bytes(65536),
            {"Content-Type": "application/octet-stream"},
        )


def warm_up(cloud: Cloud) -> None:
    """One request to each API: what they load lazily is then loaded."""
    admin = Api(cloud)
    admin.keystone("GET", "/projects")
    admin.nova("GET", "/servers")
    admin.glance("GET", "/images")
    admin.request("GET", cloud.url("placement", "/resource_providers"))
    admin.request("GET", cloud.url("neutron", "/v2.0/networks"))
