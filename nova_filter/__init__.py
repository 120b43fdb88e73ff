# SPDX-License-Identifier: Apache-2.0
"""Nova scheduler filter of promise-blazar. Imports nothing of the service."""
