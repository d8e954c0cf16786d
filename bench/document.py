"""What the measurements say: medians, ratios, bounds, and the document."""
import collections
import dataclasses
import datetime
import os
import platform
import statistics
import subprocess

import servers

Facts = collections.namedtuple("Facts", "rounds tests results handshakes idle_tests idle counted load")
PEERS = ("floor", "nchan", "nats")
# Where a send loop that does nothing else is no further from the peer than this, no server can keep the bound.
PEER_TESTS = ("w1", "w16", "m-4k", "m-w64")
# The end of the name of a test whose receiving is done by the load's core.
STEERED = "-steered"
NAMES = {"parley": "parley", "parley-2": "parley, 2 shards", "parley-bare": "parley, no history", "parley-http_stream": "parley, `http_stream`", "parley-sse": "parley, `sse`",
         "parley-stream": "parley, EventSource", "other": "other", "floor": "bare loop", "nchan": "nginx + nchan",
         "nchan-sse": "nginx + nchan, EventSource", "nats": "nats-server"}
OURS = [name for name in NAMES if name.startswith("parley") or name == "other"]


@dataclasses.dataclass
class Verdict:
    what: str
    bound: str
    value: str
    kept: bool


def medians(rows, key):
    return statistics.median(row[key] for row in rows)


def ratios(rows, base):
    return [row["us"] / other["us"] for row, other in zip(rows, base) if other["us"]] or [float("nan")]


def ratio_text(rows, base):
    every = ratios(rows, base)
    return f"{statistics.median(every):.2f} [{min(every):.2f}-{max(every):.2f}]"


def faults(facts, names):
    total = collections.Counter()
    for by_server in [*facts.results.values(), *facts.handshakes.values()]:
        for name, rows in by_server.items():
            if name in names:
                for row in rows:
                    total.update(row["faults"])
    return total


class Judge:
    """Bounds that can be judged with what was measured."""

    def __init__(self, facts):
        self.facts = facts
        self.verdicts = []

    def rows(self, test, server):
        return self.facts.results.get(test, {}).get(server)

    def ratio(self, what, test, server, other, bound, other_test=None):
        rows, base = self.rows(test, server), self.rows(other_test or test, other)
        if rows and base:
            value = statistics.median(ratios(rows, base))
            self.verdicts.append(Verdict(what, f"<= {bound}x", f"{value:.2f}x", value <= bound))

    def rate(self, what, test, key, bound):
        rows = self.rows(test, "parley")
        if rows:
            value = medians(rows, key)
            self.verdicts.append(Verdict(what, f">= {bound:,}/s", f"{value:,.0f}/s", value >= bound))


def judge_peers(judge):
    """Both ways: with the receiving done by the load's core, and by the server's."""
    for suffix, where in ((STEERED, "steered"), ("", "loopback")):
        judge.ratio(f"1 in flight, to nchan, {where}", f"w1{suffix}", "parley", "nchan", 0.65)
        judge.ratio(f"1 in flight, to nats-server, {where}", f"w1{suffix}", "parley", "nats", 0.5)
        judge.ratio(f"1 in flight over EventSource, to nchan's, {where}", f"w1{suffix}", "parley-stream", "nchan-sse", 0.7)
        judge.ratio(f"16 in flight, to nats-server, {where}", f"w16{suffix}", "parley", "nats", 0.4)
        judge.ratio(f"1,000 channels, 4,000 messages/s, to nchan, {where}", f"m-4k{suffix}", "parley", "nchan", 0.75)
        judge.ratio(f"1,000 channels, 4,000 messages/s, to nats-server, {where}", f"m-4k{suffix}", "parley", "nats", 0.5)
        judge.ratio(f"1,000 channels, 64 in flight, to nchan, {where}", f"m-w64{suffix}", "parley", "nchan", 0.75)
        judge.ratio(f"1,000 channels, 64 in flight, to nats-server, {where}", f"m-w64{suffix}", "parley", "nats", 0.5)


# A turn that is longer than this was not ours to shorten where the host took the core for as long.
LONG_TURN_MS = 50


def long_turns(facts):
    """(test, server, the row) of measurements in which a turn of ours took over 50 ms."""
    return [(test, name, row) for by_test in (facts.results, facts.handshakes) for test, by_server in by_test.items()
            for name in by_server if name in OURS for row in by_server[name] if row["turns"]["50ms"]]


def judge_turns(judge):
    facts = judge.facts
    turns = collections.Counter()
    for by_server in [*facts.results.values(), *facts.handshakes.values()]:
        for name in set(OURS) & by_server.keys():
            for row in by_server[name]:
                turns.update(row["turns"])
    if not turns["all"]:
        return
    share = 100 * turns["10ms"] / turns["all"]
    judge.verdicts.append(Verdict("turns of a shard's loop over 10 ms", "<= 0.1 %", f"{share:.3f} %", share <= 0.1))
    ours = sum(row["turns"]["50ms"] for _, _, row in long_turns(facts) if row["stolen_ms"] < LONG_TURN_MS)
    judge.verdicts.append(Verdict("turns of a shard's loop over 50 ms, but where the host took the core for as long", "0", str(ours), ours == 0))


def long_turn_lines(facts):
    found = long_turns(facts)
    if not found:
        return []
    return ["", "Where a turn took over 50 ms, and for how long the host had given the core to others meanwhile:", "",
            "| load | server | turns | ms |", "| --- | --- | ---: | ---: |",
            *(f"| {what_of(facts, test) if test in facts.tests else test} | {NAMES[name]} | {row['turns']['50ms']} | {row['stolen_ms']:,.0f} |" for test, name, row in found)]


def verdicts(facts):
    judge = Judge(facts)
    judge_peers(judge)
    judge.ratio("CPU per delivery, 20 messages/s, to the bare loop", "f1k-20", "parley", "floor", 1.3)
    judge.ratio("15,000 subscribers, 1 in flight, to the bare loop", "f15k-w1", "parley", "floor", 1.15)
    judge.ratio("1 in flight over `http_stream`, to WebSocket", "w1", "parley-http_stream", "parley", 1.15)
    judge.ratio("1 in flight over `sse`, to WebSocket", "w1", "parley-sse", "parley", 1.15)
    judge.ratio("flat: 128 in flight, to 16", "w128", "parley", "parley", 1.0, "w16")
    judge.ratio("flat: 256 in flight, to 16", "w256", "parley", "parley", 1.0, "w16")
    judge.ratio("flat: 1,024 in flight, to 16", "w1024", "parley", "parley", 1.0, "w16")
    judge.ratio("ingest without history, to nats-server", "ingest", "parley-bare", "nats", 2.0)
    judge.ratio("ingest with history, to nats-server", "ingest", "parley", "nats", 2.0)
    for test, (what, _, _) in facts.tests.items():
        judge.ratio(f"2 shards on one core, to 1: {what}", test, "parley-2", "parley", 1.25)
    judge.rate("deliveries, 256 in flight", "w256", "deliveries_per_second", 2_000_000)
    judge.rate("messages on one channel", "ingest", "messages_per_second", 100_000)
    judge.rate("publishes through the API", "api", "messages_per_second", 20_000)
    judge.rate("publishes through `batch`", "api-batch", "messages_per_second", 100_000)
    if "parley" in facts.idle.get("idle", {}):
        value = facts.idle["idle"]["parley"]["process_bytes_per_connection"]
        judge.verdicts.append(Verdict("user memory of an idle session with one subscription", "<= 1,024 B", f"{value:,.0f} B", value <= 1024))
    if {"parley", "nchan"} <= facts.idle.get("idle", {}).keys():
        value = facts.idle["idle"]["parley"]["process_bytes_per_connection"] / facts.idle["idle"]["nchan"]["process_bytes_per_connection"]
        judge.verdicts.append(Verdict("... to nchan", "<= 0.1x", f"{value:.2f}x", value <= 0.1))
    judge_turns(judge)
    broken = sum(faults(facts, OURS).values())
    judge.verdicts.append(Verdict("lost, missing, doubled, disordered or misrouted messages, closed connections, refusals", "0", str(broken), broken == 0))
    return judge.verdicts


def what_of(facts, test):
    return facts.tests[test][0] + (", steered" if test.endswith(STEERED) else "")


def floor_lines(facts):
    lines = ["| the bare loop itself | to nchan | to nats-server |", "| --- | ---: | ---: |"]
    for test in (*PEER_TESTS, *(name + STEERED for name in PEER_TESTS)):
        by_server = facts.results.get(test, {})
        if by_server.get("floor"):
            cells = [ratio_text(by_server["floor"], by_server[peer]) if by_server.get(peer) else "-" for peer in ("nchan", "nats")]
            lines.append(f"| {what_of(facts, test)} | {' | '.join(cells)} |")
    return lines


def verdict_lines(facts):
    lines = ["| what | bound | measured | |", "| --- | ---: | ---: | --- |"]
    return lines + [f"| {one.what} | {one.bound} | {one.value} | {'kept' if one.kept else '**not kept**'} |" for one in verdicts(facts)]


def load_lines(facts):
    lines = ["| load | server | us per delivery | to the bare loop | Parley to it | deliveries/s | messages/s | deliveries per read | p50 / p99 / p99.9 ms |",
             "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for test in facts.tests:
        what, by_server = what_of(facts, test), facts.results[test]
        ours, base = by_server.get("parley"), by_server.get("floor")
        for name, rows in by_server.items():
            to_floor = ratio_text(rows, base) if base and name != "floor" else "-"
            to_it = ratio_text(ours, rows) if ours and name in PEERS else "-"
            joined = statistics.median(row["deliveries"] / max(1, row["reads"]) for row in rows)
            latency = " / ".join(f"{statistics.median(row['latency_ms'][part] for row in rows):.2f}" for part in ("p50", "p99", "p999"))
            lines.append(f"| {what} | {NAMES[name]} | {medians(rows, 'us'):.2f} | {to_floor} | {to_it} | {medians(rows, 'deliveries_per_second'):,.0f} "
                         f"| {medians(rows, 'messages_per_second'):,.0f} | {joined:.1f} | {latency} |")
    return lines


def handshake_lines(facts):
    lines = ["| server | us per connection | Parley to it | connections/s |", "| --- | ---: | ---: | ---: |"]
    for by_server in facts.handshakes.values():
        for name, rows in by_server.items():
            to_it = ratio_text(by_server["parley"], rows) if by_server.get("parley") and name in PEERS else "-"
            lines.append(f"| {NAMES[name]} | {medians(rows, 'us'):.1f} | {to_it} | {medians(rows, 'connected_per_second'):,.0f} |")
    return lines


def idle_lines(facts):
    lines = ["| sessions subscribe to | server | bytes per session | in the kernel, both ends |", "| --- | --- | ---: | ---: |"]
    for test, by_server in facts.idle.items():
        for name, row in by_server.items():
            lines.append(f"| {facts.idle_tests[test][0]} | {NAMES[name]} | {row['process_bytes_per_connection']:,.0f} "
                         f"| {row['kernel_bytes_per_connection']:,.0f} |")
    return lines


def counted_lines(facts):
    lines = ["| load | server | instructions |", "| --- | --- | ---: |"]
    return lines + [f"| 1 channel x {row['subscribers']}, {row['window']} in flight | {NAMES[row['server']]} | {row['instructions']:,.0f} |" for row in facts.counted]


def fault_lines(facts):
    lines = ["| server | " + " | ".join(faults(facts, facts.results and NAMES)) + " |"]
    lines.append("| --- |" + " ---: |" * (lines[0].count("|") - 2))
    for name in NAMES:
        total = faults(facts, (name,))
        if total or any(name in by_server for by_server in facts.results.values()):
            lines.append(f"| {NAMES[name]} | " + " | ".join(f"{count:,}" for count in total.values()) + " |")
    return lines


def tables(facts):
    """For the terminal."""
    parts = [load_lines(facts)] if facts.results else []
    if facts.handshakes:
        parts.append(handshake_lines(facts))
    if facts.idle:
        parts.append(idle_lines(facts))
    if facts.counted:
        parts.append(counted_lines(facts))
    return [line for part in [*parts, verdict_lines(facts)] for line in [*part, ""]]


def version(command):
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "not installed"
    return (run.stdout + run.stderr).strip().splitlines()[0]


def machine(facts):
    model = platform.machine()
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=servers.ROOT, capture_output=True, text=True).stdout.strip()
    changed = subprocess.run(["git", "status", "--porcelain", "src"], cwd=servers.ROOT, capture_output=True, text=True).stdout.strip()
    nchan = version(["dpkg-query", "-W", "-f", "nchan ${Version}", "libnginx-mod-nchan"]) if servers.NCHAN else "nchan: not installed"
    return [("date", datetime.datetime.now(datetime.timezone.utc).date().isoformat()),
            ("commit", commit + (" with changes" if changed else "")),
            ("build", f"`{servers.BUILD.relative_to(servers.ROOT)}`" if servers.BUILD.is_relative_to(servers.ROOT) else "another"),
            ("processor", f"{model}, {os.cpu_count()} cores"),
            ("kernel", f"{platform.system()} {platform.release()}"),
            ("load average at start and end", f"{facts.load[0]:.1f}, {facts.load[1]:.1f}"),
            ("peers", f"{version(['nginx', '-v']).removeprefix('nginx version: ')}, {nchan}; {version(['nats-server', '--version'])}"),
            ("rounds", f"{facts.rounds}, interleaved; medians; a ratio is the median of the ratios of each round [lowest-highest]")]


HOW_STEERED = """So the loads that peers are compared by run a second time, **steered** ([bench/network.py](../bench/network.py)): receive packet steering has all
receiving done by the load's core. What the server receives is done there either way, since the load sends it."""
NOT_STEERED = """**Nothing here was measured steered** ([bench/network.py](../bench/network.py)), that is, with all receiving done by the
load's core: where this ran there was no loopback for it, or the kernel did not let that core receive."""

METHOD = """
## Method

Each server runs on core 0, alone with its threads, and is started anew for every measurement; `parley bench` runs on core 1. It connects and subscribes
everybody, never sleeps (`--spin`: a server need not wake it, as it need not wake clients on other machines), warms up for half a second, measures for SECONDS, and waits for what is still on its way. CPU is the run time of the server's threads and children
and of core 0's ksoftirqd, from schedstat, divided by deliveries (through the API: by messages). Messages have 128 bytes.

On loopback the core that sends also does what the kernel does for the receiver: half of what a delivery costs a server there is its clients' work, which
between machines it is not. HOW_STEERED

- **parley** is `parley dev --shards 1`, with history, presence and positions, through the Centrifuge protocol in JSON over WebSocket. With 2 shards both threads
  share core 0, so that shows what handing over costs, not how it scales. **parley, no history** is `parley serve` with nothing kept.
- The **bare loop** ([bench/floor.cc](../bench/floor.cc)) does what no server can leave out: one `send()` of the same frames, joined, to each
  subscriber, and of the same answers, joined, to the publisher.
- **`http_stream`** and **`sse`** are the Centrifuge protocol too; its subscribers never say anything behind their first request. **EventSource** is `/sse/<channel>`.
- **nchan** has one worker, WebSocket (or EventSource) subscribers and a publisher that pipelines `POST`; as many messages of history. It is not given `ingest`, since more than 32,767
  messages a second to one channel overflow a number of it, nor 1,024 in flight, which take it many seconds.
- **nats-server** speaks its own protocol, without answers to publishes and without history.

The load's own core is busy too: where it is the bottleneck (from 16 in flight on), deliveries/s are a lower bound. Idle memory is the growth of the server's PSS from
one session to 10,000, the highest value of 30 s after it settled. The kernel's share is the growth of its slab caches for both ends. Instructions are
counted in user space by callgrind (`bench/instructions` tells in which functions): free of noise, but they know nothing of caches and the kernel.
"""


def method(facts):
    """As it was done."""
    steered = any(test.endswith(STEERED) for test in facts.tests)
    text = METHOD.replace("HOW_STEERED", HOW_STEERED if steered else NOT_STEERED)
    return text.replace("SECONDS", os.environ.get("BENCH_SECONDS", "2") + " s")


def whole(facts):
    lines = ["# Performance", "", "Written by `make bench`; do not edit. Compare ratios, not microseconds: both sides of a ratio ran in turn, in the",
             "same minutes, on the same machine.", "", "| | |", "| --- | --- |"]
    lines += [f"| {what} | {value} |" for what, value in machine(facts)]
    lines += ["", "## Bounds", "", *verdict_lines(facts)]
    lines += ["", "What no server that sends as the bare loop does can be below:", "", *floor_lines(facts)]
    lines += ["", "## Loads", "", *load_lines(facts)]
    lines += ["", "## Connections", "", "10,000 that connect and subscribe to one channel, 128 at a time.", "", *handshake_lines(facts)]
    lines += ["", "## Idle memory", "", *idle_lines(facts)]
    if facts.counted:
        lines += ["", "## Instructions", "", "In user space, for each delivery; with one subscriber that is a whole message, with its reply.", "", *counted_lines(facts)]
    lines += ["", "## What went wrong", "", *fault_lines(facts), *long_turn_lines(facts)]
    return lines + method(facts).rstrip().splitlines()
