# SPDX-License-Identifier: Apache-2.0
"""The plugin as python-openstackclient finds it.

Its commands stand beside those of python-blazarclient, whose plugin is called ``reservation``.
This one has a name, and a group of commands, of its own, so that either works without the other.
"""

import argparse
from typing import Any

API_NAME = "promise_blazar"
API_VERSION_OPTION = "os_promise_blazar_api_version"
API_VERSIONS = {"1": "promise_blazar.osc.sdk.proxy.Proxy"}
DEFAULT_API_VERSION = "1"


def make_client(instance: Any) -> Any:
    """The client that the commands find as ``client_manager.promise_blazar``."""
    from promise_blazar.osc import sdk  # every start of the shell imports this module

    return sdk.client(instance.sdk_connection)


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser of the global options as it is: there is one version, and nothing to choose."""
    return parser
