# SPDX-License-Identifier: Apache-2.0
"""OpenAPI document of our extensions: valid, whole, and published with the documents."""

import json
import re

from openapi_spec_validator import OpenAPIV31SpecValidator
from oslo_policy import policy

from promise_blazar import policies
from promise_blazar.api import extensions
from promise_blazar.api.extensions import openapi
from promise_blazar.api.extensions.operations import OPERATIONS
from promise_blazar.tests import base, tree


class TestDocument(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        # As whoever reads the file has it.
        self.document = json.loads(json.dumps(openapi.document()))

    def test_it_is_valid(self) -> None:
        OpenAPIV31SpecValidator(self.document).validate()

    def test_it_has_every_operation(self) -> None:
        served = {(verb, path) for path, verbs in extensions.ROUTES.items() for verb in verbs}
        self.assertEqual(served, set(OPERATIONS))
        published = {
            (verb.upper(), path.removeprefix(extensions.DIALECT.prefix))
            for path, verbs in self.document["paths"].items()
            for verb in verbs
        }
        self.assertEqual(
            {(verb, re.sub("<(.*?)>", r"{\1}", path)) for verb, path in served}, published
        )

    def test_every_operation_has_a_rule_that_is_documented(self) -> None:
        documented = {
            (each["method"], each["path"])
            for rule in policies.list_rules()
            if isinstance(rule, policy.DocumentedRuleDefault)
            for each in rule.operations
        }
        published = {
            (verb.upper(), path)
            for path, verbs in self.document["paths"].items()
            for verb in verbs
        }
        self.assertLessEqual(published, documented)

    def test_its_patterns_are_everybodys(self) -> None:
        text = json.dumps(self.document)
        self.assertNotIn("\\\\Z", text)
        self.assertNotIn("(?", text)
        self.assertTrue(text.isascii())
        self.assertNotIn("\\ud800", text.replace("\\\\ud800", ""))

    def test_every_refusal_is_a_problem(self) -> None:
        for verbs in self.document["paths"].values():
            for operation in verbs.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        self.assertEqual(["application/problem+json"], [*answer["content"]])

    def test_it_is_published_beside_the_reference(self) -> None:
        for name in ("Makefile", "tox.ini"):
            self.assertIn(
                "tools/openapi doc/build/html/api-ref/openapi.json",
                (tree.ROOT / name).read_text(),
            )
        self.assertIn("api-ref/openapi.json", (tree.ROOT / "doc/source/index.rst").read_text())
