"""Loopback of the benchmark's own, on which the load's core can do the receiving.

The core that sends over loopback does what the kernel does for the receiver as well: half of what a delivery costs a server there is its clients'
work, which between machines it is not. With receive packet steering that half is done by the load's core. What the server receives is done there
either way, since the load sends it. In a network namespace, so that the machine's own loopback stays as it is; it is gone with this process."""
import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys

INSIDE = "PARLEY_BENCH_NETWORK"
UNSHARE = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
PREPARE = 'ip link set lo up && mount -t sysfs sysfs /sys && exec "$@"'
STEERING = pathlib.Path("/sys/class/net/lo/queues/rx-0/rps_cpus")


def enter():
    """Runs this program again with a loopback of its own, where that can be had; returns otherwise, and there."""
    if INSIDE in os.environ or not shutil.which("unshare") or not shutil.which("ip"):
        return
    within = [*UNSHARE, "sh", "-c", PREPARE, "sh"]
    if subprocess.run([*within, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.execvpe(within[0], [*within, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


@functools.cache
def can_steer():
    """Found out by doing it: the kernel refuses cores that are kept apart from its own work (isolcpus)."""
    cores = sorted(os.sched_getaffinity(0))
    if INSIDE not in os.environ or len(cores) < 2:
        return False
    try:
        with received_on(cores[1]):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def received_on(core):
    """What is sent meanwhile is received by that core; None: by the sender's."""
    if core is None:
        yield
        return
    # 32 processors a word, the lowest last.
    STEERING.write_text(",".join([f"{1 << core % 32:x}"] + ["00000000"] * (core // 32)))
    try:
        yield
    finally:
        STEERING.write_text("0")
