# SPDX-License-Identifier: Apache-2.0
"""What there is to say is in setup.cfg; pbr reads it."""

import setuptools

setuptools.setup(pbr=True)
