# SPDX-License-Identifier: Apache-2.0
"""Run several nova-compute services, one process and one log file each.

Usage: nova_computes.py --conf NOVA_CONF --hosts-dir DIR --log-dir DIR
                        --pid-dir DIR --transport-url URL [--vcpus N]
                        [--memory-mb N] [--disk-gb N] HOST [HOST ...]

For every HOST, DIR/HOST/host.conf is read after NOVA_CONF; it sets
``host`` and ``state_path``.

Every compute is the real nova-compute with nova's own fake virt driver. The
one trick is that nova is imported once, in this parent, and the services are
forked from it: starting fifty computes then costs one import, and they share
the memory of the imported code.

The parent does nothing but wait. It exits when the last compute is gone, and
the computes exit when the parent is gone.
"""

import argparse
import ctypes
import gc
import json
import os
import random
import signal
import sys
import threading
import time
import traceback

PR_SET_PDEATHSIG = 1


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--conf", required=True)
    parser.add_argument("--hosts-dir", required=True)
    parser.add_argument("--log-dir", required=True)
    parser.add_argument("--pid-dir", required=True)
    parser.add_argument("--transport-url", required=True)
    parser.add_argument("--vcpus", type=int, default=16)
    parser.add_argument("--memory-mb", type=int, default=65536)
    parser.add_argument("--disk-gb", type=int, default=1024)
    parser.add_argument("hosts", nargs="+")
    return parser.parse_args()


def run_compute(args, host, main):
    """Become nova-compute for one host. Never returns."""
    # Die with the parent, whatever ends it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    log = os.open(
        os.path.join(args.log_dir, f"nova-{host}.log"),
        os.O_WRONLY | os.O_CREAT | os.O_APPEND,
        0o644,
    )
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    # Forked processes share the state of the random generator, which nova
    # uses to spread its periodic tasks.
    random.seed()
    sys.argv = [
        "nova-compute",
        "--config-file",
        args.conf,
        "--config-file",
        os.path.join(args.hosts_dir, host, "host.conf"),
    ]
    code = 1
    try:
        main()
        code = 0
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of a forked process: said, and passed on
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def write_pid(args, host, pid):
    # The start time tells this process from a later one with the same pid.
    with open(f"/proc/{pid}/stat") as f:
        start = int(f.read().rpartition(")")[2].split()[19])
    path = os.path.join(args.pid_dir, f"nova-{host}.pid")
    with open(path + ".new", "w") as f:
        json.dump({"pid": pid, "start": start}, f)
    os.rename(path + ".new", path)


def wait_for_conductor(transport_url):
    """Wait until a conductor takes messages.

    A compute asks for the conductor when it starts. The one that asks too
    early asks again after ten seconds only.
    """
    import kombu

    with kombu.Connection(transport_url.replace("rabbit:", "amqp:", 1)) as c:
        while True:
            try:
                c.ensure_connection(interval_start=0.2, interval_step=0)
                queue = c.default_channel.queue_declare("conductor", passive=True)
                if queue.consumer_count:
                    return
            except c.channel_errors + c.connection_errors:
                c.close()
            time.sleep(0.2)


def main():
    args = parse_args()
    # nova looks for --config-file in sys.argv as soon as it is imported.
    sys.argv = ["nova-compute", "--config-file", args.conf]
    # The service's own module first: nova chooses its concurrency backend
    # while it is being imported.
    from nova.cmd import compute  # isort: split
    import nova.conf

    # The compute manager reads options while it is being imported. The
    # services load it lazily; it is loaded here so that they share it.
    nova.conf.CONF(sys.argv[1:], project="nova")
    import nova.compute.manager
    import nova.servicegroup.api
    from nova.virt import fake

    # Each service parses its own configuration.
    nova.conf.CONF.clear()

    driver = fake.FakeDriverWithoutFakeNodes
    driver.vcpus = args.vcpus
    driver.memory_mb = args.memory_mb
    driver.local_gb = args.disk_gb

    # Report at once, not after five seconds: nova takes a compute that has
    # not reported yet for one that is down.
    nova.servicegroup.api.INITIAL_REPORTING_DELAY = 0

    # Keep the garbage collector from touching, and so copying, what the
    # children share with this process.
    gc.collect()
    gc.freeze()

    wait_for_conductor(args.transport_url)
    assert threading.active_count() == 1, "cannot fork with threads"
    for host in args.hosts:
        pid = os.fork()
        if pid == 0:
            run_compute(args, host, compute.main)
        write_pid(args, host, pid)

    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
