# SPDX-License-Identifier: Apache-2.0
"""Who is calling, by noauth tokens and by Keystone's."""

import flask
from keystoneauth1 import loading
from keystonemiddleware import fixture as keystone_fixture
from oslo_middleware import cors

from promise_blazar.tests.unit.api import base


def mirror() -> flask.Blueprint:
    """Shows a caller what the application knows of them."""
    blueprint = flask.Blueprint("mirror", __name__)

    @blueprint.get("/mirror")
    def look() -> dict[str, object]:
        return {
            "user": flask.g.context.user_id,
            "project": flask.g.context.project_id,
            "request": flask.g.context.request_id,
            "global": flask.g.context.global_request_id,
            "roles": list(flask.g.roles),
            "token": flask.g.token,
        }

    return blueprint


class AuthTestCase(base.ApiTestCase):
    def extensions(self) -> list[flask.Blueprint]:
        return [mirror()]

    def look(self, token: str | None, **headers: str) -> dict:
        answer = self.call("GET", "/mirror", token=token, headers=headers)
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json

    def assert_unauthenticated(self, token: str | None) -> None:
        answer = self.call("GET", "/mirror", token=token)
        self.assert_refused(401, "The request you have made requires authentication.", answer)
        self.assertTrue(answer.headers["WWW-Authenticate"])


class TestNoauth(AuthTestCase):
    def test_a_token_says_who(self) -> None:
        seen = self.look("alice:demo")
        self.assertEqual(("alice", "demo", "alice:demo"), (
            seen["user"], seen["project"], seen["token"]
        ))  # fmt: skip
        self.assertEqual(["member", "reader"], seen["roles"])

    def test_a_token_says_what(self) -> None:
        self.assertEqual(["reader"], self.look("rita:demo:reader")["roles"])
        self.assertEqual(["service", "auditor"], self.look("x:y:service,auditor")["roles"])

    def test_roles_imply_roles(self) -> None:
        self.assertEqual(["member", "reader"], self.look("mike:demo:member")["roles"])
        roles = self.look("root:demo:admin")["roles"]
        self.assertEqual({"admin", "manager", "member", "reader"}, set(roles))

    def test_admin_is_admin(self) -> None:
        self.assertIn("admin", self.look("admin:demo")["roles"])
        self.assertIn("admin", self.look("admin:demo:reader")["roles"])

    def test_what_is_no_token(self) -> None:
        for token in (None, "", "alice", "alice:", ":demo", "a:b:c:d", "a:b:", "a:b:c,", "a b:c",
                      "x" * 65 + ":demo", "a\x1b[2J:demo", "a:b\x9b"):  # fmt: skip
            self.assert_unauthenticated(token)

    def test_requests_have_ids(self) -> None:
        given = "req-6c63ef3b-3b5f-4d1a-9f2e-6f35b2a4f6d1"
        answer = self.call("GET", "/mirror", headers={"X-OpenStack-Request-ID": given})
        self.assertEqual(given, answer.json["global"])
        self.assertEqual(answer.headers["X-OpenStack-Request-ID"], answer.json["request"])
        self.assertNotEqual(given, answer.json["request"])

    def test_headers_that_keystone_would_set_mean_nothing(self) -> None:
        seen = self.look("alice:demo", **{"X-Roles": "admin", "X-Project-Id": "other"})
        self.assertEqual(("demo", ["member", "reader"]), (seen["project"], seen["roles"]))


class TestKeystone(AuthTestCase):
    auth_strategy = "keystone"

    def setUp(self) -> None:
        super().setUp()
        group = "keystone_authtoken"
        self.conf.set_override("www_authenticate_uri", "http://127.0.0.1:1/identity", group)
        self.conf.set_override("service_token_roles_required", True, group)
        self.make_application()

    def use_tokens(self) -> None:
        tokens = self.useFixture(keystone_fixture.AuthTokenFixture())
        project = {"project_id": "demo", "project_name": "demo", "project_domain_id": "default"}
        user = {"user_id": "alice", "user_name": "alice", "user_domain_id": "default"}
        tokens.add_token_data("member", role_list=["member", "reader"], **user, **project)
        tokens.add_token_data("unscoped", **user)

    def test_a_valid_token_says_who(self) -> None:
        self.use_tokens()
        seen = self.look("member")
        self.assertEqual(("alice", "demo", "member"), (
            seen["user"], seen["project"], seen["token"]
        ))  # fmt: skip
        self.assertEqual({"member", "reader"}, set(seen["roles"]))
        self.assertEqual(200, self.call("GET", "/v1/leases", token="member").status_code)
        self.assertEqual(403, self.call("GET", "/v1/os-hosts", token="member").status_code)

    def test_what_is_no_token(self) -> None:
        self.use_tokens()
        self.assert_unauthenticated("invalid")
        self.assert_unauthenticated(None)

    def test_an_operator_who_delays_the_decision_opens_nothing(self) -> None:
        self.conf.set_override("delay_auth_decision", True, "keystone_authtoken")
        self.make_application()
        self.use_tokens()
        self.assertEqual(401, self.call("GET", "/v1/leases", token="invalid").status_code)
        self.assertEqual(401, self.call("GET", "/v1/leases", token=None).status_code)
        self.assertEqual(200, self.call("GET", "/v1/leases", token="member").status_code)

    def test_forged_headers_are_no_token(self) -> None:
        self.use_tokens()
        forged = {
            "X-Identity-Status": "Confirmed",
            "X-User-Id": "alice",
            "X-Project-Id": "demo",
            "X-Roles": "admin",
        }
        for path in ("/mirror", "/v1/leases", "//versions", "/versions.json", "/v1/versions"):
            answer = self.call(
                "GET", "/", token=None, headers=forged, environ_overrides={"PATH_INFO": path}
            )
            self.assertEqual(401, answer.status_code, path)

    def test_an_invalid_service_token_spoils_a_valid_one(self) -> None:
        self.use_tokens()
        answer = self.call("GET", "/mirror", token="member", headers={"X-Service-Token": "no"})
        self.assertEqual(401, answer.status_code)

    def test_a_token_without_a_project_is_not_enough(self) -> None:
        self.use_tokens()
        answer = self.call("GET", "/v1/leases", token="unscoped")
        self.assert_refused(403, "A token that is scoped to a project is needed", answer)

    def test_public_paths_ask_for_nothing(self) -> None:
        self.assertEqual(300, self.call("GET", "/", token=None).status_code)
        self.assertEqual(300, self.call("GET", "/versions", token="invalid").status_code)
        self.assertEqual(200, self.call("GET", "/healthcheck", token=None).status_code)

    def test_tokens_may_be_remembered_in_memcached(self) -> None:
        # The middleware loads its client with the first request, and lives without the server.
        self.conf.set_override("memcached_servers", ["127.0.0.1:1"], "keystone_authtoken")
        self.make_application()
        self.use_tokens()
        self.assertEqual("alice", self.look("member")["user"])

    def test_a_keystone_that_is_away_is_503_not_401(self) -> None:
        group = "keystone_authtoken"
        self.conf.set_override("http_request_max_retries", 0, group)
        options = loading.get_auth_plugin_conf_options("password")
        self.conf.register_opts(options, group=group)
        self.conf.set_override("auth_type", "password", group)
        for name, value in (
            ("auth_url", "http://127.0.0.1:1/identity"),
            ("username", "promise-blazar"),
            ("password", "secret"),
            ("project_name", "service"),
            ("user_domain_id", "default"),
            ("project_domain_id", "default"),
        ):
            self.conf.set_override(name, value, group)
        self.make_application()
        answer = self.call("GET", "/v1/leases", token="whatever")
        self.assert_refused(503, "The Keystone service is temporarily unavailable.", answer)
        self.assertTrue(int(answer.headers["Retry-After"]))


class TestBrowsers(base.ApiTestCase):
    def test_a_preflight_needs_no_token(self) -> None:
        self.conf.register_opts(cors.OPTS, group="cors")
        self.conf.set_override("allowed_origin", ["https://ui.example.org"], "cors")
        self.make_application()
        answer = self.call(
            "OPTIONS",
            "/v1/leases",
            token=None,
            headers={
                "Origin": "https://ui.example.org",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "X-Auth-Token, Idempotency-Key",
            },
        )
        self.assertEqual(200, answer.status_code)
        self.assertEqual("https://ui.example.org", answer.headers["Access-Control-Allow-Origin"])
