# SPDX-License-Identifier: Apache-2.0
"""What runs, and what does it use?"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from controlplane import processes, services
from controlplane.cloud import Cloud


def status(cloud: Cloud) -> int:
    """Print a table; 1 if something is not up."""
    total = 0.0
    bad = []
    print(f"{'SERVICE':16} {'PID':>8} {'PROCS':>6} {'MEMORY':>9} {'CPU':>9}  STATE")
    known = {service.name: service for service in services.everything(cloud)}
    for name in services.names(cloud):
        info = processes.running(cloud, name)
        if not info:
            bad.append(name)
            print(f"{name:16} {'-':>8} {'-':>6} {'-':>9} {'-':>9}  down")
            continue
        group = list(_processes(info["pid"]))
        memory = sum(mib for _, mib, _ in group)
        cpu = sum(ticks for _, _, ticks in group) / os.sysconf("SC_CLK_TCK")
        total += memory
        up = name not in known or known[name].is_ready()
        if not up:
            bad.append(name)
        print(
            f"{name:16} {info['pid']:8} {len(group):6} {memory:5.0f} MiB {cpu:7.1f} s  "
            f"{'up' if up else 'not ready'}"
        )
    print(f"{'total':16} {'':8} {'':6} {total:5.0f} MiB")
    dead = [host for host in cloud.hosts if not processes.running(cloud, f"nova-{host}")]
    if dead:
        print("computes down:", " ".join(dead))
    return 1 if bad else 0


def _processes(pgid: int) -> Iterator[tuple[int, float, int]]:
    """The processes of a group: pid, proportional memory in MiB, CPU ticks."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        # Processes end while we look at them.
        with contextlib.suppress(OSError, IndexError, ValueError):
            stat = Path("/proc", entry, "stat").read_text()
            fields = stat.rpartition(")")[2].split()
            if int(fields[2]) != pgid:
                continue
            for line in Path("/proc", entry, "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    ticks = int(fields[11]) + int(fields[12])
                    yield int(entry), int(line.split()[1]) / 1024, ticks
