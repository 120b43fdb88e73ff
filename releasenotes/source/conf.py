# SPDX-License-Identifier: Apache-2.0
"""How the release notes are built."""

project = "promise-blazar release notes"
copyright = "the promise-blazar authors"  # noqa: A001 - Sphinx's name for it
extensions = ["openstackdocstheme", "reno.sphinxext"]
html_theme = "openstackdocs"
openstackdocs_auto_name = False
openstackdocs_auto_version = False
