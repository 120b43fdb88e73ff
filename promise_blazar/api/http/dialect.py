# SPDX-License-Identifier: Apache-2.0
"""Dialect: one way of speaking to the service over HTTP, as a value that the frame serves.

All dialects translate to the same use cases; none has logic of its own. What they share is the
frame's: callers, versions, the status of each error (``errors.STATUS``). To add one: a folder of
``promise_blazar.api`` whose ``__init__`` defines its ``Dialect``, and a line in
``promise_blazar.api.dialects``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flask

from promise_blazar import exceptions
from promise_blazar.api.http.schema import Schema, UnknownMembers

#: What a handler returns: a document, as its dialect's writer takes it, and an HTTP status.
Answer = tuple[Any, int]
#: In the environment of a request: the suffix of its dialect, if it was written behind the path.
SUFFIX = "promise_blazar.suffix"

#: Takes the parameters of its path, by name. Authorises, reads, calls the manager, shows.
Handler = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before a dialect finds words for it.

    ``message`` is a sentence for the client. ``error`` is the one that was raised, with its
    stable ``code`` and its ``facts``; None where HTTP itself, or a fault of ours, is the matter.
    """

    status: int
    message: str
    error: exceptions.PromiseBlazarError | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """A problem as a client gets it. ``status`` None: the problem's own."""

    document: Mapping[str, Any]
    mimetype: str = "application/json"
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Everything in which one dialect differs from the others.

    ``name``             of its own among the dialects, a word
    ``prefix``           where it is served: ``/v1``, without a slash at its end; may be shared
    ``routes``           path below the prefix, with ``<parameters>`` -> verb -> handler
    ``reader``           the object in the current request's body; raises ``BadInput``
    ``writer``           the response for what a handler returned
    ``error_body``       a problem in the dialect's words
    ``unknown_members``  whether members of a body that no schema names are refused
    ``suffix``           what may be written behind every path and means nothing
    """

    name: str
    prefix: str
    routes: Mapping[str, Mapping[str, Handler]]
    reader: Callable[[], dict[str, Any]]
    writer: Callable[[Any, int], flask.Response]
    error_body: Callable[[Problem], ErrorBody]
    unknown_members: UnknownMembers
    suffix: str = ""

    def heads(self) -> set[str]:
        """The prefix, and each path of the routes up to its first parameter.

        What is at or below one of them is this dialect's, unless another has a longer one: so
        several can share a prefix.
        """
        paths = (self.prefix + path.partition("<")[0].rstrip("/") for path in self.routes)
        return {self.prefix, *paths}

    def blueprint(self) -> flask.Blueprint:
        """The routes, for a Flask application."""
        found = flask.Blueprint(self.name, __name__, url_prefix=self.prefix)
        for path, verbs in self.routes.items():
            for verb, handler in verbs.items():
                found.add_url_rule(
                    path,
                    endpoint=f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}",
                    view_func=self._view(handler),
                    methods=[verb],
                )
        return found

    def _view(self, handler: Handler) -> Callable[..., flask.Response]:
        def view(**parameters: str) -> flask.Response:
            flask.g.dialect = self
            return self.writer(*handler(**parameters))

        return view


def read(schema: Schema, first: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """The object in the current request's body, read and checked as its dialect does.

    ``first`` looks at it before the schema, which may take long over a large one. Raises
    ``BadInput``.
    """
    dialect: Dialect = flask.g.dialect
    body = dialect.reader()
    if first is not None:
        first(body)
    schema.check(body, dialect.unknown_members)
    return body


class Dialects:
    """The dialects of an application, and whose a path is."""

    def __init__(self, dialects: Iterable[Dialect] = ()) -> None:
        self._dialects = tuple(dialects)
        # The longest head first; of two that are the same, the dialect named first keeps it.
        heads = {head: each for each in reversed(self._dialects) for head in each.heads()}
        self._heads = sorted(heads.items(), key=lambda item: len(item[0]), reverse=True)

    def __iter__(self) -> Iterator[Dialect]:
        return iter(self._dialects)

    def of(self, path: str) -> Dialect | None:
        """The dialect that answers for a path, with or without a route; None: none of them."""
        for head, dialect in self._heads:
            if path == head or path.startswith(f"{head}/"):
                return dialect
        return None
