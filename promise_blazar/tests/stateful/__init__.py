# SPDX-License-Identifier: Apache-2.0
"""Random histories against a model, and judges of them that share no code with the ledger."""
