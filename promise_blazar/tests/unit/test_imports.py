# SPDX-License-Identifier: Apache-2.0
"""The arrows of the architecture: who may import whom, layer by layer and room by room.

``api -> manager.contract -> manager -> capacity``, ``manager -> plugins -> cloud``, ``manager ->
db``. What joins them (``cmd``, ``wsgi``, ``manager.composition``, ``cloud.registry``) may see
everything. Each line allows what is used, and nothing else: a test says which are not.
"""

import configparser
import importlib.metadata
import re
import sys

from promise_blazar.tests import base, tree

#: Words that everyone may use, and that use only each other.
SHARED = ("exceptions", "context", "clock", "deadline", "times", "waiters")

#: Of ours, besides itself and what is shared, a room may import these and nothing else. A module
#: belongs to the room with the longest name that it is in; what a room may see, one inside it need
#: not.
ROOMS = {
    "api": (
        "cloud.contract",
        "conf",
        "manager.contract",
        "model",
        "policies",
    ),
    "capacity": ("model",),
    "cloud": (),
    "cloud.contract": (),
    "cloud.fence": (),
    "cloud.parallel": (),
    "cloud.openstack": ("cloud.contract", "cloud.fence", "conf", "model"),
    "cloud.simulated": ("cloud.contract", "cloud.fence", "model"),
    "conf": (),
    "db": ("model",),
    "manager.contract": (),
    "manager.rpc": ("manager.contract",),
    "manager.controllers": (
        "capacity",
        "cloud.contract",
        "db",
        "manager.hosts",
        "manager.provider",
        "manager.queries",
        "manager.workflow",
        "model",
    ),
    "manager.hosts": (
        "capacity",
        "cloud.contract",
        "db",
        "manager.contract",
        "manager.idempotency",
        "manager.provider",
        "manager.queries",
        "model",
        "plugins",
    ),
    "manager.idempotency": ("db", "manager.contract"),
    "manager.leases": (
        "capacity",
        "db",
        "manager.contract",
        "manager.idempotency",
        "manager.ledger",
        "manager.provider",
        "manager.queries",
        "manager.workflow",
        "model",
        "plugins",
    ),
    "manager.ledger": ("capacity", "db", "manager.contract", "manager.ownership", "model"),
    "manager.ownership": ("cloud.fence", "db", "model"),
    "manager.provider": ("cloud.contract", "manager.ledger", "model", "plugins"),
    "manager.queries": ("capacity", "db", "manager.contract", "model", "plugins"),
    "manager.supply": (
        "capacity",
        "db",
        "manager.contract",
        "manager.idempotency",
        "manager.ledger",
        "manager.provider",
        "manager.queries",
        "model",
    ),
    "manager.workflow": (
        "capacity",
        "cloud.fence",
        "cloud.parallel",
        "db",
        "manager.ledger",
        "manager.ownership",
        "manager.provider",
        "model",
        "plugins",
    ),
    "model": (),
    "osc": (),
    "plugins": ("capacity", "cloud.contract", "cloud.parallel", "model"),
    "policies": (),
}
#: What joins the others.
JOINERS = ("cmd", "wsgi", "cloud.registry", "manager.composition", "manager.service")

#: A library that one place is there to hide from the others.
HIDDEN = {
    "alembic": ("promise_blazar.db",),
    "asyncio": (),
    "cliff": ("promise_blazar.osc",),
    "eventlet": (),
    "flask": ("promise_blazar.api", "promise_blazar.cmd", "promise_blazar.wsgi"),
    "nova": ("nova_filter.filters",),
    "novaclient": ("promise_blazar.cloud.openstack",),
    "openstack": ("promise_blazar.osc",),
    "openstackclient": ("promise_blazar.osc",),
    "osc_lib": ("promise_blazar.osc",),
    # Its options are registered where all others are.
    "oslo_db": ("promise_blazar.db", "promise_blazar.conf"),
    "sqlalchemy": ("promise_blazar.db",),
}


def wrong(modules, allowed):
    """``file:line imports name`` of every import that ``allowed(name)`` refuses."""
    return [
        f"{module}:{line} imports {name}"
        for module in modules
        for line, name in module.imports
        if not allowed(name)
    ]


def of(package):
    return [
        module
        for module in tree.product()
        if tree.inside(module.name, package) and not tree.inside(module.name, *map(full, JOINERS))
    ]


def full(name):
    return f"promise_blazar.{name}"


def room(name):
    """The modules of a room, without those of the rooms inside it."""
    inner = [full(other) for other in ROOMS if other != name and other.startswith(f"{name}.")]
    return [module for module in of(full(name)) if not tree.inside(module.name, *inner)]


def ours(name):
    return tree.inside(name, *tree.PACKAGES)


def names(requirements):
    """The distributions that these lines require."""
    return {
        re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")
        for line in requirements.splitlines()
        if line and not line.startswith("#")
    }


class TestImports(base.TestCase):
    def test_the_tree_is_seen(self):
        names = {module.name for module in tree.product()}
        self.assertLessEqual({"promise_blazar.clock", "nova_filter.decision"}, names)
        clock = next(each for each in tree.product() if each.name == "promise_blazar.clock")
        self.assertIn("datetime.datetime", [name for _, name in clock.imports])

    def test_rooms_look_only_along_the_arrows(self):
        for name, others in ROOMS.items():
            visible = [full(name), *map(full, SHARED), *map(full, others)]
            if name in ("cloud.simulated", "plugins"):
                # The simulated scheduler decides with the real filter's code, and an end takes
                # away what that code would accept.
                visible.append("nova_filter.decision")

            def allowed(name, visible=visible):
                return not ours(name) or tree.inside(name, *visible)

            self.assertEqual([], wrong(room(name), allowed), name)

    def test_no_arrow_is_drawn_that_nobody_uses(self):
        unused = []
        for name, others in ROOMS.items():
            used = {imported for module in room(name) for _, imported in module.imports}
            unused += [
                f"{name} -> {other}"
                for other in others
                if not any(tree.inside(each, full(other)) for each in used)
            ]
        self.assertEqual([], unused)

    def test_every_module_is_in_a_room(self):
        placed = [*map(full, ROOMS), *map(full, SHARED), *map(full, JOINERS)]
        packages = ("promise_blazar", "promise_blazar.manager")
        homeless = [
            module.name
            for module in tree.product()
            if tree.inside(module.name, "promise_blazar")
            and module.name not in packages
            and not tree.inside(module.name, *placed)
        ]
        self.assertEqual([], homeless)

    def test_capacity_is_pure(self):
        roots = {*sys.stdlib_module_names, "numpy"}

        def allowed(name):
            return name.split(".")[0] in roots or tree.inside(
                name, "promise_blazar.capacity", "promise_blazar.model"
            )

        self.assertEqual([], wrong(of("promise_blazar.capacity"), allowed))

    def test_the_model_is_pure(self):
        def allowed(name):
            return name.split(".")[0] in sys.stdlib_module_names or tree.inside(
                name, "promise_blazar.model"
            )

        self.assertEqual([], wrong(of("promise_blazar.model"), allowed))

    def test_the_filter_knows_nothing_of_the_service(self):
        found = wrong(of("nova_filter"), lambda name: not tree.inside(name, "promise_blazar"))
        self.assertEqual([], found)

    def test_shared_words_use_only_each_other(self):
        shared = [f"promise_blazar.{name}" for name in SHARED]
        found = [
            wrong(of(package), lambda name: not ours(name) or tree.inside(name, *shared))
            for package in shared
        ]
        self.assertEqual([[]] * len(shared), found)

    def test_nothing_of_the_product_needs_the_tests(self):
        found = wrong(tree.product(), lambda name: not tree.inside(name, "promise_blazar.tests"))
        self.assertEqual([], found)

    def test_libraries_stay_where_they_are_hidden(self):
        for library, places in HIDDEN.items():
            elsewhere = [each for each in tree.product() if not tree.inside(each.name, *places)]
            found = wrong(elsewhere, lambda name, library=library: not tree.inside(name, library))
            self.assertEqual([], found, library)

    def test_nothing_is_asynchronous(self):
        found = wrong(tree.modules(), lambda name: not tree.inside(name, "asyncio", "eventlet"))
        self.assertEqual([], found)

    def test_every_library_is_a_declared_requirement(self):
        setup = configparser.ConfigParser()
        setup.read(tree.ROOT / "setup.cfg")
        always = names((tree.ROOT / "requirements.txt").read_text())
        commands = always | names(setup["extras"]["cli"])
        providers = importlib.metadata.packages_distributions()
        own = {*sys.stdlib_module_names, *tree.PACKAGES}

        def undeclared(modules, declared):
            def allowed(name):
                root = name.split(".")[0]
                found = {each.lower().replace("_", "-") for each in providers.get(root, ())}
                return root in own or bool(found & declared)

            return wrong(modules, allowed)

        service = [each for each in of("promise_blazar") if each not in of("promise_blazar.osc")]
        self.assertEqual([], undeclared(service, always))
        self.assertEqual([], undeclared(of("promise_blazar.osc"), commands))
