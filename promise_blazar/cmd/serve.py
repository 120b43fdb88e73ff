# SPDX-License-Identifier: Apache-2.0
"""Server of a WSGI application, which answers from threads until told to stop."""

import threading
from typing import Any

from waitress import create_server


class Serving:
    """Listens from the moment it is made."""

    def __init__(self, application: Any, host: str, port: int, threads: int) -> None:
        self._server = create_server(
            application,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=False,
        )
        self.host: str = self._server.effective_host
        self.port: int = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Take no more requests; those under way are answered, within some seconds."""
        self._server.task_dispatcher.shutdown(cancel_pending=False, timeout=4)
        self._server.close()
