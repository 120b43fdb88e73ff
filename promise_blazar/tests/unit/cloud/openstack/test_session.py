# SPDX-License-Identifier: Apache-2.0
"""Who we are to OpenStack: ourselves, by whatever login is configured, and never a tenant."""

from promise_blazar.cloud import openstack
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer

RESERVATION = "11111111-2222-3333-4444-555555555555"
_ACCESS = f"{COMPUTE}/flavors/{RESERVATION}/action"


class SessionTest(AdapterTest):
    def logins(self) -> list[dict]:
        return [each.body["auth"] for each in self.services.seen("POST", "/v3/auth/tokens")]

    def test_d23_a_tenants_access_is_taken_with_our_own_token(self) -> None:
        self.services.lay("POST", _ACCESS, Answer(200, {"flavor_access": []}))
        self.cloud.flavors.revoke(RESERVATION, "demo")
        (asked,) = self.services.seen("POST", _ACCESS)
        self.assertEqual({"removeTenantAccess": {"tenant": "demo"}}, asked.body)
        self.assertEqual("token-1", asked.token)
        (login,) = self.logins()
        self.assertEqual("service", login["scope"]["project"]["name"])

    def test_d24_no_trust_and_no_password_are_needed(self) -> None:
        conf = self.services.conf(
            auth_type="v3applicationcredential",
            application_credential_id="ours",
            application_credential_secret="known to Keystone",
        )
        self.services.lay("GET", f"{COMPUTE}/os-aggregates", Answer(200, {"aggregates": []}))
        self.assertEqual([], list(openstack.connect(conf).aggregates.list()))
        (login,) = self.logins()
        self.assertEqual(["application_credential"], login["identity"]["methods"])
        self.assertNotIn("OS-TRUST:trust", login.get("scope", {}))
        self.assertEqual(
            {"/v3/auth/tokens", f"{COMPUTE}/os-aggregates"},
            {each.path for each in self.services.requests},
        )
