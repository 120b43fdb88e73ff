# SPDX-License-Identifier: Apache-2.0
"""A snapshot is found again by the occasion on which it was made, and by its server."""

import uuid

import requests

from promise_blazar import exceptions
from promise_blazar.cloud.openstack.image import OCCASION, Images, occasion_of
from promise_blazar.tests import base

SERVER, OTHER = str(uuid.uuid4()), str(uuid.uuid4())


class Glance:
    """Its list of images, by their properties, behind keystoneauth's adapter."""

    def __init__(self, *images: dict[str, str], status: int = 200) -> None:
        self._images = images
        self._status = status

    def get(self, path: str, params: dict[str, str]) -> requests.Response:
        assert path == "/v2/images"
        found = [image for image in self._images if params.items() <= image.items()]
        answer = requests.Response()
        answer.status_code = self._status
        answer.json = lambda: {"images": found}
        return answer


class ImagesTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.image = {"id": "1", OCCASION: occasion_of(SERVER, "at ten")}

    def find(self, server: str, occasion: str, **more: int) -> str | None:
        return Images(Glance(self.image, **more), 1).of_occasion(server, occasion)

    def test_it_is_found(self) -> None:
        self.assertEqual("1", self.find(SERVER, "at ten"))

    def test_another_occasion_has_another(self) -> None:
        self.assertIsNone(self.find(SERVER, "at eleven"))

    def test_a_server_booted_from_it_has_its_own(self) -> None:
        """Its image inherits the property."""
        self.assertIsNone(self.find(OTHER, "at ten"))

    def test_a_refusal_is_not_taken_for_nothing(self) -> None:
        with self.assertRaises(exceptions.CloudError):
            self.find(SERVER, "at ten", status=503)
