#!/usr/bin/env python
# SPDX-License-Identifier: Apache-2.0
"""Print the notifications nova emits, one line each, until interrupted.

Usage: listen_notifications.py TRANSPORT_URL [--until EVENT_TYPE] [--timeout S]

Run it with minicloud's interpreter ($MINICLOUD_HOME/venv/bin/python). With
--until it ends, successfully, when an event of that type arrives.
"""

import argparse
import sys
import threading

import oslo_messaging
from oslo_config import cfg

parser = argparse.ArgumentParser()
parser.add_argument("transport_url")
parser.add_argument("--until")
parser.add_argument("--timeout", type=float)
args = parser.parse_args()
arrived = threading.Event()


class Endpoint:
    def __init__(self, topic):
        self.topic = topic

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        data = payload.get("nova_object.data", payload)
        print(
            self.topic,
            publisher_id,
            event_type,
            data.get("uuid") or data.get("instance_id") or "",
            flush=True,
        )
        if event_type == args.until:
            arrived.set()

    error = info


conf = cfg.ConfigOpts()
conf([])
transport = oslo_messaging.get_notification_transport(conf, url=args.transport_url)
# Nova publishes in the exchange "nova"; oslo.messaging would look in
# "openstack". A pool of its own gets a copy of everything, so that nobody
# else loses a message.
listeners = [
    oslo_messaging.get_notification_listener(
        transport,
        [oslo_messaging.Target(topic=topic, exchange="nova")],
        [Endpoint(topic)],
        executor="threading",
        pool="minicloud-listener",
    )
    for topic in ("notifications", "versioned_notifications")
]
for listener in listeners:
    listener.start()
print("listening", flush=True)
try:
    found = arrived.wait(args.timeout)
except KeyboardInterrupt:
    found = not args.until
for listener in listeners:
    listener.stop()
    listener.wait()
sys.exit(0 if found else 1)
