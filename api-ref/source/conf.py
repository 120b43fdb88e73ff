# SPDX-License-Identifier: Apache-2.0
"""How the API reference is built, with ``sphinx-build -W api-ref/source api-ref/build/html``."""

project = "Reservation API Reference"
copyright = "the promise-blazar authors"  # noqa: A001 - Sphinx's name for it
extensions = ["os_api_ref", "openstackdocstheme"]
html_theme = "openstackdocs"
html_theme_options = {"sidebar_mode": "toc"}
openstackdocs_auto_name = False
openstackdocs_auto_version = False
pygments_style = "native"
