# SPDX-License-Identifier: Apache-2.0
"""Placement: ``service`` is how the lease service calls it, ``rules`` what it does."""
