# SPDX-License-Identifier: Apache-2.0
"""The tests. A warning that our own code causes is an error here."""

import warnings

warnings.filterwarnings("error", module=r"(promise_blazar|nova_filter)(\.|$)")
