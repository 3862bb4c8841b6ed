"""Markdown tables of the records."""

from collections import defaultdict
from statistics import median

REFERENCE = "nginx"


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(value, reference):
    """Differences may come out at or below nothing in a noisy run; a ratio of such would mean nothing."""
    return f"{value / reference:.2f}" if value is not None and reference and reference > 0 else "-"


def groups(records, *keys):
    """Records by their values of `keys`, in the order of first appearance."""
    found = defaultdict(list)
    for record in records:
        found[tuple(record[key] for key in keys)].append(record)
    return found


def timing_table(records):
    """Medians; the ratio to nginx is the median of the ratios within each repetition, which a drift of the machine's
    speed between repetitions does not change."""
    by_case = groups(records, "rate", "connections", "policy", "subject")
    rows = []
    for (rate, connections, policy, subject), runs in by_case.items():
        reference = by_case.get((rate, connections, policy, REFERENCE), [])
        cpu = [run["cpu_us"] for run in runs]
        rows.append([
            subject,
            policy,
            f"{connections:,}",
            number(rate) if rate else "closed loop",
            number(middle(runs, "rps")),
            paired_ratio(runs, reference, "rps"),
            f"{number(median(cpu), 1)} ({number(min(cpu), 1)}-{number(max(cpu), 1)})",
            paired_ratio(runs, reference, "cpu_us"),
            f"{middle(runs, 'util'):.2f}",
            number(middle(runs, "p50")),
            number(middle(runs, "p99")),
            number(middle(runs, "p999")),
            f"{sum(run['errs'] for run in runs)}/{sum(run['non2xx'] for run in runs)}",
        ])
    headings = ["subject", "policy", "conns", "rate", "req/s", "x nginx", "CPU us/req (min-max)", "x nginx",
                "core used", "p50 us", "p99 us", "p99.9 us", "errors/not 2xx"]
    return table(headings, rows)


def middle(runs, key):
    values = [run[key] for run in runs if run.get(key) is not None]
    return median(values) if values else None


def paired_ratio(runs, reference, key):
    by_rep = {run["rep"]: run[key] for run in reference}
    ratios = [run[key] / by_rep[run["rep"]] for run in runs if by_rep.get(run["rep"])]
    return f"{median(ratios):.2f}" if ratios else "-"


def memory_table(records):
    by_case = groups([record for record in records if "pss_start_kb" in record], "policy", "subject")
    rows = []
    for (policy, subject), runs in by_case.items():
        reference = by_case.get((policy, REFERENCE))
        start = middle(runs, "pss_start_kb")
        rows.append([
            subject,
            policy,
            number(middle(runs, "rss_start_kb") / 1024, 1),
            number(start / 1024, 1),
            ratio(start, reference and middle(reference, "pss_start_kb")),
            number(max(run["pss_after_kb"] for run in runs) / 1024, 1),
        ])
    headings = ["subject", "policy", "RSS at start MiB", "Pss at start MiB", "x nginx", "most Pss after load MiB"]
    return table(headings, rows)


def idle_table(records):
    by_case = groups(records, "policy", "subject")
    rows = []
    for (policy, subject), runs in by_case.items():
        reference = by_case.get((policy, REFERENCE))
        each = middle(runs, "bytes_per_connection")
        rows.append([
            subject,
            policy,
            f"{runs[0]['connections']:,}",
            number(middle(runs, "pss_before_kb") / 1024, 1),
            number(middle(runs, "pss_idle_kb") / 1024, 1),
            number(each),
            ratio(each, reference and middle(reference, "bytes_per_connection")),
        ])
    headings = ["subject", "policy", "idle conns", "Pss before MiB", "Pss with them MiB", "bytes/conn", "x nginx"]
    return table(headings, rows)


def counts_table(records):
    by_case = {(record["policy"], record["subject"]): record for record in records}
    rows = []
    for (policy, subject), record in by_case.items():
        reference = by_case.get((policy, REFERENCE), {})
        rows.append([
            subject,
            policy,
            number(record["instructions"]),
            ratio(record["instructions"], reference.get("instructions")),
            f"{record['syscalls']:.2f}",
            ratio(record["syscalls"], reference.get("syscalls")),
            calls_by_name(record),
        ])
    headings = ["subject", "policy", "user instructions/req", "x nginx", "syscalls/req", "x nginx", "which"]
    return table(headings, rows)


def breakdown_table(record, key, most):
    total = record["instructions"]
    rows = [[f"`{name[:100]}`", number(cost), f"{cost / total:.1%}"] for name, cost in record[key][:most]]
    return table([key.removeprefix("by_"), "instructions/req", "share"], rows)


def calls_by_name(record):
    calls = sorted(record["syscalls_by_name"].items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.2f}" for name, value in calls)


def in_app_table(timing, counts):
    """What a policy adds to the bare app, and how much more the crates add than casque does."""
    cpu = {name: middle(runs, "cpu_us") for (name,), runs in groups(timing, "subject").items()}
    instructions = {record["subject"]: record["instructions"] for record in counts}
    rows = []
    for name in cpu | instructions:
        rows.append([
            name,
            number(cpu.get(name), 1),
            number(added(cpu, name), 1),
            number(instructions.get(name)),
            number(added(instructions, name)),
            ratio(added(cpu, name), added(cpu, "axum casque")),
            ratio(added(instructions, name), added(instructions, "axum casque")),
        ])
    headings = ["app", "CPU us/req", "added", "user instructions/req", "added", "added CPU x casque",
                "added instructions x casque"]
    return table(headings, rows)


def added(values, name):
    bare = values.get("axum bare")
    value = values.get(name)
    return None if bare is None or value is None or name == "axum bare" else value - bare


def chain_table(records):
    rows = []
    for (subject,), runs in groups(records, "subject").items():
        each = [median(values) for values in zip(*(run["cpu_us_each"] for run in runs))]
        gateway = each[0] if len(each) == 2 else None
        rows.append([subject, number(middle(runs, "rps")), number(middle(runs, "cpu_us"), 1), number(each[-1], 1),
                     number(gateway, 1)])
    return table(["setup, all on one core", "req/s", "CPU us/req", "of it the app", "of it the gateway"], rows)
