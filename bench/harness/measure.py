"""Timing: load on one core, a subject on the other, and what the kernel says the subject used."""

import json
import os
import subprocess
import time

from harness.policy import LIMIT_NEVER_REACHED
from harness.process import DRIVER_CORE, HOST, SUBJECT_CORE, Process, StartError, free_port, pin

# Connections are kept open for this long after the last response before memory is read, so that a server has
# given back what it only needs while it works.
IDLE_SETTLE_SECONDS = 2.0


class LoadError(Exception):
    pass


class Bench:
    """The pieces every measurement needs: tools, the upstream's port, a directory for configs and logs."""

    def __init__(self, tools, directory, with_priority):
        self.tools = tools
        self.directory = directory
        self.with_priority = with_priority
        self.upstream_port = free_port()

    def tool(self, name):
        return os.path.join(self.tools, f"casque-bench-{name}")

    def upstream(self):
        process = self.process([self.tool("upstream"), f"{HOST}:{self.upstream_port}"], DRIVER_CORE, "upstream")
        process.wait_for_port(self.upstream_port)
        return process

    def process(self, argv, core, name, **options):
        log = os.path.join(self.directory, f"{name.replace(' ', '-')}.log")
        return Process(argv, core, log, with_priority=self.with_priority, **options)

    def start(self, subject, policy, limit=LIMIT_NEVER_REACHED, wrapper=(), upstream_port=None, timeout=10, **options):
        """Starts a subject, perhaps under a program such as valgrind; gives its process and its port."""
        port = free_port()
        command = subject.command(policy, port, upstream_port or self.upstream_port, self.directory, limit)
        argv = [*wrapper, *command.argv]
        process = self.process(argv, SUBJECT_CORE, f"{subject.name}-{policy}", env=command.env, **options)
        try:
            process.wait_for_port(port, timeout)
        except StartError as error:
            process.stop()
            raise StartError(f"{subject.name} {policy} {error}") from None
        except BaseException:
            process.stop()
            raise
        return process, port

    def load_argv(self, port, path, connections, seconds, headers=(), **options):
        argv = [self.tool("load"), f"{HOST}:{port}", "--path", path]
        argv += ["--connections", str(connections), "--seconds", str(seconds)]
        for header in headers:
            argv += ["--header", header]
        for name, value in options.items():
            if value is not None:
                argv += [f"--{name}", str(value)]
        return argv

    def load(self, port, path, connections, seconds, headers=(), **options):
        argv = self.load_argv(port, path, connections, seconds, headers, **options)
        result = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds + 30, preexec_fn=pin(DRIVER_CORE, self.with_priority)
        )
        if result.returncode:
            raise LoadError(f"load ended with status {result.returncode}: {result.stderr.strip()}")
        return json.loads(result.stdout)

    def fixed_count(self, port, path, connections, requests, headers=(), seconds=300):
        result = self.load(port, path, connections, seconds, headers, requests=requests)
        if result["done"] != requests or result["non2xx"]:
            raise LoadError(f"of {requests} requests {result['done']} were answered, {result['non2xx']} not with 2xx")


def timed_run(bench, processes, port, path, connections, seconds, rate=None, headers=()):
    """One run of load; CPU time is that of all `processes`, and of each alone."""
    before = [process.cpu_ns() for process in processes]
    result = bench.load(port, path, connections, seconds, headers, rate=rate)
    used = [process.cpu_ns() - start for process, start in zip(processes, before)]
    requests = max(1, result["done"])
    return {
        **result,
        "connections": connections,
        "rate": rate or 0,
        "cpu_us": sum(used) / 1000 / requests,
        "cpu_us_each": [value / 1000 / requests for value in used],
        "util": sum(used) / 1e9 / result["secs"],
    }


def time_subject(bench, subject, policy, loads, seconds):
    """Starts a subject afresh and yields one record for each of `loads`, pairs of connections and rate."""
    path, headers = subject.path(policy), subject.load_headers(policy)
    process, port = bench.start(subject, policy)
    with process:
        at_start = process.memory_kb()
        bench.load(port, path, 64, subject.warm_up_seconds, headers)
        for connections, rate in loads:
            record = timed_run(bench, [process], port, path, connections, seconds, rate, headers)
            after = process.memory_kb()
            yield {
                "kind": "timing",
                "subject": subject.name,
                "policy": policy,
                **record,
                "rss_start_kb": at_start["Rss"],
                "pss_start_kb": at_start["Pss"],
                "pss_after_kb": after["Pss"],
            }


def time_upstream_alone(bench, upstream, loads, seconds):
    """The ceiling: the same load with no proxy between. Shares its core with the load generator."""
    for connections, rate in loads:
        record = timed_run(bench, [upstream], bench.upstream_port, "/api/items", connections, seconds, rate)
        yield {"kind": "timing", "subject": "direct", "policy": "-", **record}


def idle_memory(bench, subject, policy, connections):
    """Memory of `connections` that each had one response and are kept open."""
    process, port = bench.start(subject, policy)
    with process:
        bench.load(port, subject.path(policy), 64, subject.warm_up_seconds, subject.load_headers(policy))
        time.sleep(IDLE_SETTLE_SECONDS)
        before = process.memory_kb()["Pss"]
        hold = IDLE_SETTLE_SECONDS + 3
        argv = bench.load_argv(port, subject.path(policy), connections, hold, subject.load_headers(policy)) + ["--idle"]
        with bench.process(argv, DRIVER_CORE, "idle-load", stdout=subprocess.PIPE) as load:
            opened = json.loads(load.popen.stdout.readline() or "{}").get("idle", 0)
            time.sleep(IDLE_SETTLE_SECONDS)
            during = process.memory_kb()["Pss"]
            end = json.loads(load.popen.stdout.readline() or "{}")
        if opened != connections or end.get("closed", connections):
            raise LoadError(f"{subject.name} kept {opened} - {end.get('closed')} of {connections} idle connections")
    return {
        "kind": "idle",
        "subject": subject.name,
        "policy": policy,
        "connections": connections,
        "pss_before_kb": before,
        "pss_idle_kb": during,
        "bytes_per_connection": (during - before) * 1024 / connections,
    }


def time_chain(bench, app, app_policy, gateway, gateway_policy, connections, seconds):
    """The whole cost of a policy: an app alone, or a gateway in front of it, both on the subject's core."""
    app_process, app_port = bench.start(app, app_policy)
    with app_process:
        if gateway is None:
            processes, port, label = [app_process], app_port, f"{app.name} {app_policy}"
            gateway_process = None
        else:
            gateway_process, port = bench.start(gateway, gateway_policy, upstream_port=app_port)
            processes = [gateway_process, app_process]
            label = f"{gateway.name} {gateway_policy} + {app.name} {app_policy}"
        try:
            bench.load(port, "/api/items", connections, app.warm_up_seconds)
            record = timed_run(bench, processes, port, "/api/items", connections, seconds)
        finally:
            if gateway_process:
                gateway_process.stop()
    return {"kind": "chain", "subject": label, **record}
