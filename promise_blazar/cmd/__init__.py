# SPDX-License-Identifier: Apache-2.0
"""The commands, one module each."""

import warnings

# oslo.messaging's dependencies still import eventlet where it is installed, which says that it is
# deprecated. We never use it, and an operator can do nothing about it.
warnings.filterwarnings("ignore", message="\nEventlet is deprecated", category=DeprecationWarning)
