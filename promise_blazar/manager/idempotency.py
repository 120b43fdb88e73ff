# SPDX-License-Identifier: Apache-2.0
"""Answers kept under clients' keys: the same request twice makes one thing."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from promise_blazar import exceptions
from promise_blazar.context import RequestContext
from promise_blazar.db import idempotency
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import IdempotencyKey

View = TypeVar("View")


class Answers:
    """A key is committed together with what its request makes (``db.idempotency.add``).

    The answer follows when there is one; it outlives what was made. Refusals and failures leave
    no key behind.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def once(
        self,
        context: RequestContext,
        key: IdempotencyKey | None,
        kind: type[View],
        present: Callable[[str], View | None],
        make: Callable[[], View],
    ) -> View:
        """The answer to a request: that which its key has already, else what ``make`` makes.

        Whatever keeps ``make`` from it, the key is looked up once more: the same request, sent
        twice, may have been the one that took the room. Raises what ``given`` and ``make`` raise.
        """
        if key is None:
            return make()
        answer = self.given(context, key, kind, present)
        if answer is not None:
            return answer
        try:
            return make()
        except exceptions.PromiseBlazarError:
            answer = self.given(context, key, kind, present)
            if answer is None:
                raise
            return answer

    def given(
        self,
        context: RequestContext,
        key: IdempotencyKey,
        kind: type[View],
        present: Callable[[str], View | None],
    ) -> View | None:
        """What the first request with this key was answered; None: this is the first.

        ``present`` is for a request that was not answered, since its manager died or failed: the
        view of what it made, by its id, or None when that is gone, so that the key is free
        again. It raises ``RequestInFlight`` while the thing is being made. Raises that and
        ``KeyReused``.
        """
        known = self.check(context, key)
        if known is None:
            return None
        if known.answer is not None:
            return msgspec.json.decode(known.answer, type=kind)
        view = present(known.object_id)
        if view is None:
            self.forget(known.object_id)
        return view

    def check(self, context: RequestContext, key: IdempotencyKey) -> idempotency.KeyRecord | None:
        """What is known of the key. Raises ``KeyReused`` for another request's."""
        with self._database.reader() as connection:
            known = idempotency.get(connection, context.project_id, key.key)
        if known is not None and known.fingerprint != key.fingerprint:
            raise exceptions.KeyReused()
        return known

    def keep(self, object_id: str, view: object) -> None:
        """The answer to the request that made this, if it had a key and was not answered."""
        text = msgspec.json.encode(view).decode()
        self._database.transact(lambda connection: idempotency.answer(connection, object_id, text))

    def forget(self, object_id: str) -> None:
        """It was not made after all."""
        self._database.transact(lambda connection: idempotency.forget(connection, object_id))
