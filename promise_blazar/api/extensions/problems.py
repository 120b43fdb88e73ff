# SPDX-License-Identifier: Apache-2.0
"""Problem details (RFC 9457): how our extensions tell of errors.

``type`` is ``about:blank``, so ``title`` is what HTTP calls the status; ``code`` is the error's
own stable name, null for what HTTP itself refuses. ``detail`` is a sentence for people.
"""

import http

from promise_blazar.api.http.dialect import ErrorBody, Problem

MIMETYPE = "application/problem+json"
#: What of an error's facts is everybody's who asked: none is of others, or of OpenStack.
_PUBLIC = ("affected", "affected_count", "alternatives", "fits", "retry_after")


def error_body(problem: Problem) -> ErrorBody:
    facts = problem.error.facts if problem.error else {}
    document = {
        "type": "about:blank",
        "title": http.HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "code": problem.error.code if problem.error else None,
        "reasons": facts.get("reasons") or [],
        "request_id": problem.request_id,
    }
    return ErrorBody(document | {name: facts[name] for name in _PUBLIC if name in facts}, MIMETYPE)
