# SPDX-License-Identifier: Apache-2.0
"""Do the layers look only where the architecture lets them?

``api -> manager -> capacity``, ``manager -> plugins -> cloud``, ``manager -> db``. What joins
them (``cmd``, ``wsgi``, ``cloud.factory``) may see everything.
"""

import importlib.metadata
import re
import sys

from promise_blazar.tests import base, tree

#: Words that everyone may use, and that use only each other.
SHARED = ("exceptions", "context", "clock", "times")

#: Of ours, besides itself and what is shared, a layer may import these and nothing else.
LAYERS = {
    "promise_blazar.api": (
        "cloud.groups",
        "conf",
        "manager.interface",
        "manager.messages",
        "manager.rpc",
        "policies",
    ),
    "promise_blazar.manager": (
        "capacity",
        "cloud.outgoing",
        "cloud.protocol",
        "conf",
        "db",
        "plugins",
    ),
    "promise_blazar.plugins": ("capacity", "cloud.protocol", "conf"),
    "promise_blazar.cloud": ("conf",),
    "promise_blazar.db": ("capacity", "conf"),
    "promise_blazar.policies": ("conf",),
    "promise_blazar.conf": (),
}
JOINERS = ("promise_blazar.cmd", "promise_blazar.wsgi", "promise_blazar.cloud.factory")

#: A library that one place is there to hide from the others.
HIDDEN = {
    "alembic": ("promise_blazar.db",),
    "asyncio": (),
    "eventlet": (),
    "flask": ("promise_blazar.api", "promise_blazar.cmd", "promise_blazar.wsgi"),
    "nova": ("nova_filter.filters",),
    "novaclient": ("promise_blazar.cloud.openstack",),
    # Its options are registered where all others are.
    "oslo_db": ("promise_blazar.db", "promise_blazar.conf.opts"),
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
        if tree.inside(module.name, package) and not tree.inside(module.name, *JOINERS)
    ]


def ours(name):
    return tree.inside(name, *tree.PACKAGES)


class TestImports(base.TestCase):
    def test_the_tree_is_seen(self):
        names = {module.name for module in tree.product()}
        self.assertLessEqual({"promise_blazar.clock", "nova_filter.decision"}, names)
        clock = next(each for each in tree.product() if each.name == "promise_blazar.clock")
        self.assertIn("datetime.datetime", [name for _, name in clock.imports])

    def test_layers_look_only_along_the_arrows(self):
        shared = [f"promise_blazar.{name}" for name in SHARED]
        for layer, others in LAYERS.items():
            visible = [layer, *shared, *(f"promise_blazar.{name}" for name in others)]
            if layer == "promise_blazar.cloud":
                # The simulated scheduler decides with the real filter's code.
                visible.append("nova_filter.decision")

            def allowed(name, visible=visible):
                return not ours(name) or tree.inside(name, *visible)

            self.assertEqual([], wrong(of(layer), allowed), layer)

    def test_capacity_is_pure(self):
        roots = {*sys.stdlib_module_names, "numpy"}

        def allowed(name):
            return name.split(".")[0] in roots or tree.inside(name, "promise_blazar.capacity")

        self.assertEqual([], wrong(of("promise_blazar.capacity"), allowed))

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
        lines = (tree.ROOT / "requirements.txt").read_text().splitlines()
        declared = {
            re.match(r"[\w.-]+", line)[0].lower().replace("_", "-")
            for line in lines
            if line and not line.startswith("#")
        }
        providers = importlib.metadata.packages_distributions()
        own = {*sys.stdlib_module_names, *tree.PACKAGES}

        def allowed(name):
            root = name.split(".")[0]
            distributions = {each.lower().replace("_", "-") for each in providers.get(root, ())}
            return root in own or bool(distributions & declared)

        self.assertEqual([], wrong(of("promise_blazar"), allowed))
