# SPDX-License-Identifier: Apache-2.0
"""Several managers at once, and managers that die: nothing is sold twice, nothing is left."""
