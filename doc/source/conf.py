# SPDX-License-Identifier: Apache-2.0
"""How the documents are built."""

project = "promise-blazar"
copyright = "the promise-blazar authors"  # noqa: A001 - Sphinx's name for it
extensions = [
    "openstackdocstheme",
    "oslo_config.sphinxext",
    "oslo_policy.sphinxext",
]
html_theme = "openstackdocs"
html_theme_options = {"display_toc": True}
openstackdocs_auto_name = False
openstackdocs_auto_version = False
pygments_style = "native"
