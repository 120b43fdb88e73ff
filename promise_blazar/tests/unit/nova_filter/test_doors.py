# SPDX-License-Identifier: Apache-2.0
"""Who may enter, and what has to go so that nobody may: the filter's own rule, which ends use."""

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base

from nova_filter import decision
from promise_blazar.tests.unit.nova_filter import world
from promise_blazar.tests.unit.nova_filter.world import MEMBER, OWNER, Host

OWNER_KEY = decision.Settings().owner_key
VALUES = st.one_of(
    st.sampled_from(("t", " Y ", "true", "ON", "1", "yes", "no", "0", "", OWNER, MEMBER)),
    st.text(max_size=3),
)
KEYS = st.sampled_from((OWNER_KEY, OWNER, MEMBER, "reservation", "ssd", ""))
METADATA = st.dictionaries(KEYS, VALUES)


class Doors(base.BaseTestCase):
    def lets_in(self, metadata: dict[str, str], project: str) -> bool:
        """As Nova's scheduler decides, for a host of the reservation."""
        aggregate = world.host_reservation("r1", "nobody")
        aggregate.metadata = {"availability_zone": "blazar_r1", **metadata}
        host = Host("h", [aggregate])
        return world.names(world.request(project, "r1"), [host]) == ["h"]

    @given(METADATA)
    def test_c1_one_rule_says_who_may_enter(self, metadata: dict[str, str]) -> None:
        for project in (OWNER, MEMBER, "ssd", ""):
            admitted = decision.admits(metadata, project, OWNER_KEY)
            self.assertEqual(self.lets_in(metadata, project), admitted, (metadata, project))

    @given(METADATA)
    def test_c1_without_these_keys_nobody_may(self, metadata: dict[str, str]) -> None:
        keys = decision.admitting_keys(metadata, OWNER_KEY)
        left = {key: value for key, value in metadata.items() if key not in keys}
        for project in {*metadata, *metadata.values(), OWNER, MEMBER}:
            self.assertFalse(self.lets_in(left, project), (metadata, project))
        self.assertEqual(frozenset(), decision.admitting_keys(left, OWNER_KEY))

    @given(METADATA)
    def test_c1_no_other_key_goes(self, metadata: dict[str, str]) -> None:
        for key in decision.admitting_keys(metadata, OWNER_KEY) - {OWNER_KEY, ""}:
            self.assertTrue(self.lets_in({key: metadata[key]}, key))
