# SPDX-License-Identifier: Apache-2.0
"""HTTP frame of the API: what all dialects have in common."""
