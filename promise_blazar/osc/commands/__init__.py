# SPDX-License-Identifier: Apache-2.0
"""Commands: each reads its arguments, asks the service once or twice, and shows the answer."""
