# SPDX-License-Identifier: Apache-2.0
"""Commands ``openstack reservation ...`` that Blazar's client has not, and their client."""
