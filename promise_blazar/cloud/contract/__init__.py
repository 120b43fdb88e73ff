# SPDX-License-Identifier: Apache-2.0
"""The contract with OpenStack, by service: values and protocols, and no client library."""
