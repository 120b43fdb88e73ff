# SPDX-License-Identifier: Apache-2.0
"""Demands on capacity, a module per kind, and the contract that they obey."""
