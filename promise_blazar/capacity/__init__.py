# SPDX-License-Identifier: Apache-2.0
"""Capacity of one provider: what is booked on which host, and what still fits, in pure arithmetic.

Times are microseconds since 1970 UTC, windows half-open. Arrays have one entry per slot, a host's
place in the ledger, unless they say otherwise.
"""
