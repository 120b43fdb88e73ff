# SPDX-License-Identifier: Apache-2.0
"""Large answers on the way: compressed for who accepts it, and not sent to who has them."""

import gzip

import flask

from promise_blazar.api.http import compression
from promise_blazar.tests.base import TestCase

LARGE = b'{"series":[' + b",".join([b'{"total":1}'] * 1000) + b"]}"


def answered(
    accepted: str | None, text: bytes = LARGE, had: str | None = None
) -> tuple[flask.Response, bytes]:
    headers = {"Accept-Encoding": accepted} if accepted is not None else {}
    if had is not None:
        headers["If-None-Match"] = had
    with flask.Flask(__name__).test_request_context("/", headers=headers):
        response = flask.Response(text, mimetype="application/json")
        response.set_etag("a1")
        response.make_conditional(flask.request)
        return compression.compress(response, flask.request), text


class TestCompression(TestCase):
    def test_a_large_answer_is_compressed_where_that_is_accepted(self) -> None:
        for accepted in ("gzip", "gzip, deflate", "br;q=1.0, gzip;q=0.5", "*"):
            response, text = answered(accepted)
            self.assertEqual("gzip", response.headers["Content-Encoding"])
            self.assertEqual(text, gzip.decompress(response.get_data()))
            self.assertLess(10 * len(response.get_data()), len(text))
            self.assertEqual(str(len(response.get_data())), response.headers["Content-Length"])

    def test_it_is_sent_as_it_is_elsewhere(self) -> None:
        for accepted in (None, "", "identity", "br", "gzip;q=0", "*;q=0"):
            response, text = answered(accepted)
            self.assertNotIn("Content-Encoding", response.headers)
            self.assertEqual(text, response.get_data())
            self.assertEqual('"a1"', response.headers["ETag"])

    def test_a_small_answer_is_sent_as_it_is(self) -> None:
        response, text = answered("gzip", b"{}")
        self.assertNotIn("Content-Encoding", response.headers)
        self.assertEqual(text, response.get_data())

    def test_caches_are_told_what_it_depends_on(self) -> None:
        for accepted in ("gzip", None):
            response, _ = answered(accepted)
            self.assertIn("Accept-Encoding", response.headers["Vary"])

    def test_who_has_it_in_either_form_is_not_sent_it_again(self) -> None:
        self.assertEqual('W/"a1"', answered("gzip")[0].headers["ETag"])
        for had in ('"a1"', 'W/"a1"'):
            for accepted in ("gzip", None):
                response, _ = answered(accepted, had=had)
                self.assertEqual(304, response.status_code)
                self.assertNotIn("Content-Encoding", response.headers)
