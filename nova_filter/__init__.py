# SPDX-License-Identifier: Apache-2.0
"""The Nova scheduler filter of promise-blazar. Imports nothing of the service."""
