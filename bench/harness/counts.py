"""Figures without noise: instructions and system calls for each request.

callgrind counts every user-space instruction of a process, start-up included, so a subject runs twice and the
difference between many requests and few is divided by how many more there were. Neither tool sees the kernel's work.
"""

import os
import re
import shutil
import signal
import subprocess
import time

from harness import breakdown
from harness.process import SUBJECT_CORE, read_lines
from harness.subjects import find

CONNECTIONS = 8
FEW_REQUESTS = 1_000
MANY_REQUESTS = 5_000
MORE_REQUESTS = MANY_REQUESTS - FEW_REQUESTS
# Nothing reads and answers a request with fewer instructions than this.
FEWEST_CREDIBLE = 1_000
# Instructions a request from which a function or crate gets a row of the breakdown.
BREAKDOWN_FROM = 50
TRACED_REQUESTS = 10_000
WARM_UP_REQUESTS = 2_000
ATTACH_SECONDS = 0.7
# Programs run some fifty times slower under callgrind.
START_TIMEOUT = 120
STOP_TIMEOUT = 30


class CountError(Exception):
    pass


def missing_tools():
    return [name for name in ("valgrind", "strace") if not find(name)]


def instructions_per_request(bench, subject, policy):
    """Also gives the profiles of both runs, for a breakdown."""
    few = profiles(bench, subject, policy, FEW_REQUESTS)
    many = profiles(bench, subject, policy, MANY_REQUESTS)
    each = (sum(map(profile_total, many)) - sum(map(profile_total, few))) / MORE_REQUESTS
    if each < FEWEST_CREDIBLE:
        raise CountError(f"{subject.name} {policy}: callgrind did not see the process that answers")
    return each, few, many


def profiles(bench, subject, policy, requests):
    """Runs the subject under callgrind; one profile for each of its processes."""
    name = f"{subject.name.replace(' ', '-')}-{policy}-{requests}.callgrind"
    pattern = os.path.join(bench.directory, f"{name}.%p")
    wrapper = [find("valgrind"), "--tool=callgrind", f"--callgrind-out-file={pattern}"]
    process, port = bench.start(subject, policy, wrapper=wrapper, timeout=START_TIMEOUT, stop_timeout=STOP_TIMEOUT)
    with process:
        bench.fixed_count(port, subject.path(policy), CONNECTIONS, requests, subject.load_headers(policy))
    found = [os.path.join(bench.directory, file) for file in os.listdir(bench.directory) if file.startswith(name)]
    if not found:
        raise CountError(f"callgrind left no profile of {name}: {process.last_words()}")
    return found


def profile_total(path):
    with open(path, errors="replace") as file:
        for line in file:
            match = re.match(r"(?:summary|totals): (\d+)", line)
            if match:
                return int(match.group(1))
    return 0


def syscalls_per_request(bench, subject, policy):
    process, port = bench.start(subject, policy)
    table = os.path.join(bench.directory, f"{subject.name.replace(' ', '-')}-{policy}.strace")
    with process:
        path, headers = subject.path(policy), subject.load_headers(policy)
        bench.fixed_count(port, path, CONNECTIONS, WARM_UP_REQUESTS, headers)
        argv = [find("strace"), "-c", "-f", "-o", table]
        for pid in process.pids():
            argv += ["-p", str(pid)]
        with bench.process(argv, SUBJECT_CORE, "strace") as tracer:
            time.sleep(ATTACH_SECONDS)
            bench.fixed_count(port, path, CONNECTIONS, TRACED_REQUESTS, headers)
            # strace writes its table when it is interrupted.
            tracer.popen.send_signal(signal.SIGINT)
            try:
                tracer.popen.wait(10)
            except subprocess.TimeoutExpired:
                pass
    return {name: count / TRACED_REQUESTS for name, count in read_table(table).items()}


def read_table(path):
    """Rows of strace -c: share, seconds, microseconds a call, calls, perhaps errors, name."""
    calls = {}
    for line in read_lines(path):
        fields = line.split()
        if len(fields) >= 5 and re.fullmatch(r"[\d.]+", fields[0]) and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    if not calls:
        raise CountError("strace saw no system call; may it attach to processes here?")
    return calls


def rounded(rows):
    """What is worth looking at, largest first."""
    return [(name, round(cost)) for name, cost in rows if cost >= BREAKDOWN_FROM]


def count(bench, subject, policy, keep=None):
    calls = syscalls_per_request(bench, subject, policy)
    instructions, costs = None, {}
    if subject.is_countable:
        instructions, few, many = instructions_per_request(bench, subject, policy)
        # Which profile of a server with several processes belongs to which cannot be told.
        if len(few) == len(many) == 1:
            costs = breakdown.per_request(few[0], many[0], MORE_REQUESTS)
        for path in few + many:
            if keep:
                shutil.copy(path, keep)
            os.remove(path)
    return {
        "kind": "counts",
        "subject": subject.name,
        "policy": policy,
        "instructions": instructions,
        "by_crate": rounded(breakdown.by_crate(costs)),
        "by_function": rounded(breakdown.by_function(costs)),
        "syscalls": sum(calls.values()),
        "syscalls_by_name": {name: round(value, 3) for name, value in calls.items() if value >= 0.005},
    }
