# SPDX-License-Identifier: Apache-2.0
"""How histories are run: a slow machine is no fault of theirs, and a failing one is printed."""

from hypothesis import HealthCheck, settings

#: A failing history is made small, and printed as the steps that lead to it. No database: what
#: is replayed comes from the seed.
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
