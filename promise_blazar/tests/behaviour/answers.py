# SPDX-License-Identifier: Apache-2.0
"""Answers of our extensions against the schemas that are published for them."""

import json
import re
from collections.abc import Iterable, Mapping

from promise_blazar.api import extensions
from promise_blazar.api.dialects import DIALECTS
from promise_blazar.api.extensions import answers, problems
from promise_blazar.api.extensions.operations import ALWAYS, OPERATIONS, Operation
from promise_blazar.api.http.dialect import Dialects
from promise_blazar.api.http.schema import UnknownMembers

_DIALECTS = Dialects(DIALECTS)
#: What no operation is answered: there is none at this path, or of this verb.
NOWHERE = (404, 405)


def check(
    verb: str, path: str, status: int, headers: Mapping[str, str], body: Iterable[bytes]
) -> None:
    """Raises ``AssertionError`` where an answer is not as it is published."""
    if _DIALECTS.of(path) is not extensions.DIALECT:
        return
    text = b"".join(body)
    said = f"{verb} {path}: {status} {text[:2000].decode()}"
    operation = _operation(verb, path.removeprefix(extensions.DIALECT.prefix))
    kind = headers.get("Content-Type", "").partition(";")[0]
    if status >= 400:
        expected = NOWHERE if operation is None else (*ALWAYS, *operation.refusals)
        assert status in expected, said
        assert kind == problems.MIMETYPE, said
        answers.PROBLEM.check(json.loads(text), UnknownMembers.REFUSED)
        return
    assert operation is not None, said
    assert status in operation.answers, said
    schema = operation.answers[status]
    if schema is None:
        assert text == b"", said
        return
    assert kind == "application/json", said
    schema.check(json.loads(text), UnknownMembers.REFUSED)
    for name in operation.answered_headers:
        assert name in headers, said


def _operation(verb: str, path: str) -> Operation | None:
    for (known, route), operation in OPERATIONS.items():
        if known == verb and re.fullmatch(re.sub("<.*?>", "[^/]+", route), path):
            return operation
    return None
