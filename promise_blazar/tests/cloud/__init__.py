# SPDX-License-Identifier: Apache-2.0
"""Tests on a real Nova and Placement: ``tools/cloud/test`` gives them one and runs them.

They share its hosts, so they run one after the other.
"""
