# SPDX-License-Identifier: Apache-2.0
"""REST API of the service: an HTTP frame, and the dialects that it serves."""
