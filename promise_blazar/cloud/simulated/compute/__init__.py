# SPDX-License-Identifier: Apache-2.0
"""Nova: ``service`` is how the lease service calls it; the other modules are its rules."""
