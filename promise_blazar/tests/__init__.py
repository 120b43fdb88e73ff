# SPDX-License-Identifier: Apache-2.0
"""The tests. A warning that our own code causes is an error here."""

import os
import warnings

warnings.filterwarnings("error", module=r"(promise_blazar|nova_filter)(\.|$)")

# What a test logs and prints is shown with its failure, and not otherwise.
for captured in ("OS_LOG_CAPTURE", "OS_STDOUT_CAPTURE", "OS_STDERR_CAPTURE"):
    os.environ.setdefault(captured, "1")
