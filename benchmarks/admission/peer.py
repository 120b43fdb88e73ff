# SPDX-License-Identifier: Apache-2.0
"""Blazar's side of the admission benchmark: its schema, the world in it, and its manager."""

import json
import pathlib
import subprocess
from dataclasses import dataclass
from datetime import UTC

import sqlalchemy

from benchmarks.admission.fill import fill_blazar
from benchmarks.admission.world import (
    ASKED_AMOUNT,
    ASKED_SHAPE,
    INSTANCES,
    Booking,
    Question,
    World,
)
from benchmarks.common.environments import ROOT

INSIDE = "benchmarks.admission.peer_inside"
CONFIGURATION = """\
[DEFAULT]
transport_url = fake://
log_file = {log}
[database]
connection = {url}
[manager]
plugins = physical.host.plugin,virtual.instance.plugin
[oslo_messaging_notifications]
driver = noop
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, and SQL statements.

    ``selection``: the search for hosts alone. ``reserved``: ``reserve_resource``, the same search
    and the rows of what it found. ``created``: ``create_lease``, which does both in turn.
    """

    selection: float
    reserved: float
    created: float
    statements: int


class Peer:
    """Blazar's manager, in a process of its own, on an empty database filled with the world."""

    def __init__(
        self, python: pathlib.Path, url: str, world: World, directory: pathlib.Path
    ) -> None:
        # The driver that Blazar's documentation names.
        driver = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg2")
        configuration = directory / "blazar.conf"
        configuration.write_text(
            CONFIGURATION.format(
                url=driver.render_as_string(hide_password=False),
                log=directory / "blazar.log",
            )
        )
        program = [python, "-W", "ignore", "-m", INSIDE, configuration]
        with (directory / "errors.log").open("wb") as errors:
            subprocess.run([*program, "schema"], check=True, stderr=errors, cwd=ROOT)
            self._engine = sqlalchemy.create_engine(url)
            with self._engine.begin() as connection:
                fill_blazar(connection, world)
            self._process = subprocess.Popen(
                program,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def create(self, question: Question) -> Figures:
        """Raises ``RuntimeError`` when Blazar did not make the lease."""
        print(json.dumps(_lease_values(question)), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(
                "Blazar's process ended; see errors.log and blazar.log in its directory"
            )
        figures = json.loads(answer)
        return Figures(
            figures["allocation_candidates"],
            figures["reserve_resource"],
            figures["create_lease"],
            figures["statements"],
        )

    def promised(self) -> list[Booking]:
        """What its tables say is promised."""
        # One allocation is one slot.
        query = sqlalchemy.text(
            "SELECT h.hypervisor_hostname, i.vcpus, i.memory_mb, i.disk_gb, count(*),"
            " l.start_date, l.end_date"
            " FROM computehost_allocations a"
            " JOIN computehosts h ON h.id = a.compute_host_id"
            " JOIN reservations r ON r.id = a.reservation_id"
            " JOIN leases l ON l.id = r.lease_id"
            " LEFT JOIN instance_reservations i ON i.reservation_id = r.id"
            " GROUP BY r.id, h.id, l.id, i.id"
        )
        with self._engine.connect() as connection:
            return [
                Booking(
                    name,
                    None if shape[0] is None else tuple(shape),
                    units,
                    start.replace(tzinfo=UTC),
                    end.replace(tzinfo=UTC),
                )
                for name, *shape, units, start, end in connection.execute(query)
            ]

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._engine.dispose()


def _lease_values(question: Question) -> dict:
    """What Blazar's API hands to its manager."""
    if question.resource_type == INSTANCES:
        vcpus, memory_mb, disk_gb = ASKED_SHAPE
        wanted = {
            "vcpus": vcpus,
            "memory_mb": memory_mb,
            "disk_gb": disk_gb,
            "amount": ASKED_AMOUNT,
            "affinity": None,
        }
    else:
        wanted = {"min": ASKED_AMOUNT, "max": ASKED_AMOUNT, "hypervisor_properties": ""}
    return {
        "name": "benchmark",
        "user_id": "user",
        "trust_id": "trust",
        "start_date": question.start.strftime("%Y-%m-%d %H:%M"),
        "end_date": question.end.strftime("%Y-%m-%d %H:%M"),
        "reservations": [
            {"resource_type": question.resource_type, "resource_properties": "", **wanted}
        ],
        "events": [],
    }
