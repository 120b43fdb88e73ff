# SPDX-License-Identifier: Apache-2.0
"""Commands, one module each."""

import sys

# We run native threads. Where oslo.messaging's dependencies have brought eventlet along, they
# would import it (and warn of it) merely because it is there: to us it is not.
sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]  # what import documents
