# SPDX-License-Identifier: Apache-2.0
"""Handler of ``/v1/availability``: authorise, read, call, show."""

import flask

from promise_blazar.api.extensions import reader, schemas, writer
from promise_blazar.api.http import requests
from promise_blazar.api.http.dependencies import authorize, caller, dependencies, own
from promise_blazar.api.http.dialect import Answer, read
from promise_blazar.policies import capacity as policies


def find() -> Answer:
    """``{"windows", "reasons", "fits"}``, 200, also where there is none.

    The question is one about a lease of the caller's project. Raises ``BadInput``, ``Busy``,
    ``TooManyRequests``.
    """
    authorize(policies.AVAILABILITY, own())
    dependencies().questions.spend(flask.g.context.project_id)
    reader.query(schemas.NO_QUERY)
    body = read(schemas.AVAILABILITY, first=requests.check_number_of_reservations)
    question = reader.availability_question(body, flask.g.context.project_id)
    answer = dependencies().manager.availability(caller(), question)
    return writer.availability(answer), 200
