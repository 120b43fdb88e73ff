# SPDX-License-Identifier: Apache-2.0
"""Worked examples of the contributor's guide, which tests run."""
