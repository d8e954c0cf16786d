"""The servers that are measured, each started on a free port of loopback and on core 0."""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build" / "bench"))
PARLEY = BUILD / "parley"
FLOOR = ROOT / "build" / "bench" / "bench" / "bench_floor"
NCHAN = next((path for path in map(pathlib.Path, ["/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/share/nginx/modules/ngx_nchan_module.so"])
              if path.exists()), None)

NGINX = """load_module {module};
daemon off;
user root;
pid {folder}/nginx.pid;
error_log /dev/null crit;
worker_processes 1;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 512M;
  nchan_message_buffer_length 1000;
  nchan_message_timeout 10m;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location ~ ^/sub/(.+)$ {{ nchan_subscriber websocket eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; }}
    location ~ ^/pub/(.+)$ {{ nchan_publisher http; nchan_channel_id $1; }}
  }}
}}
"""


def fail(message):
    sys.exit(f"bench: {message}")


def core(number):
    """The core of that number among ours."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[min(number, len(cores) - 1)]


def prepare(number):
    """For preexec_fn: the core of that number, and a higher priority where that is allowed."""
    def in_the_child():
        os.sched_setaffinity(0, {core(number)})
        with contextlib.suppress(PermissionError):
            os.nice(-15)
    return in_the_child


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server. `command` makes its arguments of a port and a folder of its own."""

    def __init__(self, command, protocol="centrifuge", wait_seconds=10, ours=False):
        self.protocol = protocol
        self.ours = ours
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="parley-bench-")
        arguments = [str(part) for part in command(self.port, pathlib.Path(self.folder))]
        self.process = subprocess.Popen(arguments, preexec_fn=prepare(0), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + wait_seconds
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                fail(f"{arguments[0]} does not listen")
            time.sleep(0.01)

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"{'nats' if self.protocol == 'nats' else 'http'}://127.0.0.1:{self.port}"

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def parley(binary=PARLEY, shards=1, protocol="centrifuge"):
    return lambda: Server(lambda port, _: [binary, "dev", "--listen", f"127.0.0.1:{port}", "--shards", shards, "--log-level", "error"], protocol, ours=True)


# Nothing is kept: no history, presence or positions.
BARE = {"client": {"insecure": True}, "channel": {"without_namespace": {}}, "log": {"level": "error"}, "prometheus": {"enabled": True}}


def parley_bare():
    def command(port, folder):
        (folder / "parley.json").write_text(json.dumps(BARE))
        return [PARLEY, "serve", "--config", folder / "parley.json", "--listen", f"127.0.0.1:{port}", "--shards", "1"]
    return Server(command, ours=True)


def floor():
    return Server(lambda port, _: [FLOOR, port])


def nchan(protocol="nchan"):
    def command(port, folder):
        files = min(19000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        (folder / "nginx.conf").write_text(NGINX.format(module=NCHAN, folder=folder, port=port, files=files))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf"]
    return Server(command, protocol)


def nats():
    return Server(lambda port, _: [shutil.which("nats-server") or "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", port, "-l", "/dev/null"], "nats")


def installed():
    """The servers that can be started here, by name: Parley first."""
    servers = {"parley": parley(), "parley-2": parley(shards=2), "parley-bare": parley_bare, "floor": floor}
    over_http = {"parley-http_stream": "http_stream", "parley-sse": "sse", "parley-stream": "eventsource"}
    servers |= {name: parley(protocol=protocol) for name, protocol in over_http.items()}
    if os.environ.get("BENCH_OTHER"):
        servers["other"] = parley(pathlib.Path(os.environ["BENCH_OTHER"]).resolve())
    if NCHAN:
        servers["nchan"] = nchan
        servers["nchan-sse"] = lambda: nchan("nchan_sse")
    if shutil.which("nats-server") or pathlib.Path("/usr/sbin/nats-server").exists():
        servers["nats"] = nats
    return servers


def turns(server):
    """How many turns a Parley's loops took, and how many of them were long."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("parley_io_"))
    long_turns = {over: int(values.get(f'parley_io_long_turns_total{{over="{over}"}}', 0)) for over in ("10ms", "50ms")}
    return {"all": int(values["parley_io_turns_total"]), **long_turns}


def stolen_ms():
    """For how long the host has given core 0 to others, so that its threads stood still and knew nothing of it (proc(5): steal)."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = next(line.split() for line in stat if line.startswith(f"cpu{core(0)} "))
    return int(fields[8]) * 1000 / os.sysconf("SC_CLK_TCK")


def load(server, arguments, watched=True):
    """What `parley bench` says of the server, as an object; from core 1."""
    command = [PARLEY, "bench", *arguments, "--url", server.url, "--json"]
    if arguments[0] != "idle":
        command += ["--spin"]
    if watched:
        command += ["--pid", server.pid]
    if server.protocol != "centrifuge":
        command += ["--protocol", server.protocol]
    run = subprocess.run([str(part) for part in command], preexec_fn=prepare(1), capture_output=True, text=True)
    if not run.stdout:
        fail(f"{' '.join(map(str, command))}: {run.stderr.strip()}")
    return json.loads(run.stdout)
