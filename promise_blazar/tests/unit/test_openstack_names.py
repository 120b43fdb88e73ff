# SPDX-License-Identifier: Apache-2.0
"""Names that the service and the scheduler filter, which is installed alone, both have."""

import dataclasses

from nova_filter import decision
from promise_blazar.model import openstack_names
from promise_blazar.tests import base


class TestOpenStackNames(base.TestCase):
    def test_the_filter_has_the_same_defaults(self):
        names = openstack_names.Names()
        for field in dataclasses.fields(decision.Settings):
            expected = getattr(names, field.name)
            self.assertEqual(expected, getattr(decision.Settings(), field.name), field.name)

    def test_the_filter_reads_the_same_key(self):
        self.assertEqual(openstack_names.RESERVATION_KEY, decision.RESERVATION)

    def test_a_class_names_its_reservation(self):
        reservation = "6f1d1c7a-2b9e-4d53-8a61-2c7f90d41be8"
        name = openstack_names.resource_class_of(reservation)
        self.assertEqual("CUSTOM_RESERVATION_6F1D1C7A_2B9E_4D53_8A61_2C7F90D41BE8", name)
        self.assertEqual(reservation, openstack_names.reservation_of(name))
