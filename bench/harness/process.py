"""Starting, watching and ending the processes of a measurement. Nothing else on the machine is touched."""

import os
import signal
import socket
import subprocess
import time

HOST = "127.0.0.1"
# Core of the subject, and core of everything that drives it.
SUBJECT_CORE = 0
DRIVER_CORE = 1
# Far above the rest of a desktop or CI session, below the kernel's own threads.
AUTOGROUP_NICE = "-15"


class StartError(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def pin(core, with_priority):
    """What a child does before it becomes the program: take its core and, when asked, a better share of it."""

    def apply():
        os.sched_setaffinity(0, {core})
        if with_priority:
            try:
                with open("/proc/self/autogroup", "w") as autogroup:
                    autogroup.write(AUTOGROUP_NICE)
            except OSError:
                pass

    return apply


class Process:
    """A program in a session of its own, so that its children are known to be its own."""

    def __init__(self, argv, core, log, env=None, with_priority=False, stop_timeout=5, stdout=None):
        self.stop_timeout = stop_timeout
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                argv,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout or output,
                stderr=output,
                start_new_session=True,
                preexec_fn=pin(core, with_priority),
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def pids(self):
        return [pid for pid in all_pids() if session_of(pid) == self.popen.pid]

    def cpu_ns(self):
        """Nanoseconds on a core, over every thread of every process."""
        return sum(thread_ns(pid) for pid in self.pids())

    def memory_kb(self):
        """Resident and proportional set size, over every process."""
        totals = {"Rss": 0, "Pss": 0}
        for pid in self.pids():
            for line in read_lines(f"/proc/{pid}/smaps_rollup"):
                name, _, value = line.partition(":")
                if name in totals:
                    totals[name] += int(value.split()[0])
        return totals

    def wait_for_port(self, port, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.popen.poll() is not None:
                raise StartError(f"ended with status {self.popen.returncode} instead of listening: {self.last_words()}")
            try:
                socket.create_connection((HOST, port), 0.5).close()
                return
            except OSError:
                time.sleep(0.05)
        raise StartError(f"does not listen after {timeout} s: {self.last_words()}")

    def last_words(self):
        return " | ".join(read_lines(self.log)[-5:])

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(self.stop_timeout)
            except subprocess.TimeoutExpired:
                pass
        # Workers end after their master; what still runs then did not heed the signal.
        end = time.monotonic() + 1
        while self.pids() and time.monotonic() < end:
            time.sleep(0.02)
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()


def read_lines(path):
    try:
        with open(path, errors="replace") as file:
            return file.read().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def session_of(pid):
    """The session a live process belongs to. A name may hold spaces and parentheses, so fields count from its end."""
    lines = read_lines(f"/proc/{pid}/stat")
    if not lines:
        return None
    state, _, _, session = lines[0].rpartition(")")[2].split()[:4]
    return None if state == "Z" else int(session)


def thread_ns(pid):
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    total = 0
    for thread in threads:
        lines = read_lines(f"/proc/{pid}/task/{thread}/schedstat")
        total += int(lines[0].split()[0]) if lines else 0
    return total
