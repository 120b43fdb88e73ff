# SPDX-License-Identifier: Apache-2.0
"""Compression of large answers, for clients that accept it."""

import gzip
import http
from typing import Final

import flask

#: Octets of a body below which it is sent as it is.
_LEAST: Final = 4096
#: The fastest: a series shrinks to a tenth by it, at more than 100 MB a second.
_LEVEL: Final = 1


def compress(response: flask.Response, request: flask.Request) -> flask.Response:
    """The same response, its body compressed by gzip where that is worth it and accepted.

    Its ETag becomes a weak one then: the octets are others, what they say is the same.
    """
    response.vary.add("Accept-Encoding")
    text = response.get_data()
    if response.status_code != http.HTTPStatus.OK or len(text) < _LEAST:
        return response
    if request.accept_encodings.quality("gzip") <= 0:
        return response
    response.set_data(gzip.compress(text, _LEVEL, mtime=0))
    response.content_encoding = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)
    return response
