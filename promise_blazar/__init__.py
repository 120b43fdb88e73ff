# SPDX-License-Identifier: Apache-2.0
"""promise-blazar lends OpenStack capacity in time."""
