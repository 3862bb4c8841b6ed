"""Where a request's instructions go: the difference of two callgrind profiles, by function and by crate.

Names of inlined code need debug information: build with `cargo build --profile bench`. Without it, what the compiler
inlined counts for the function it was inlined into.
"""

import os
import re
from collections import Counter

POSITION = re.compile(r"(fl|fi|fe|fn|cfi|cfl|cfn|ob|cob)=(?:\((\d+)\))?\s*(.*)")
# Functions of libc and the kernel's interface, which have no crate.
ALLOCATION = re.compile(
    r"^(malloc|free|realloc|calloc|cfree|_int_|_?mi_|unlink_chunk|tcache|sysmalloc)|_?(rdl|rust)_(de|re)?alloc"
)
MEMORY = re.compile(r"mem(cpy|move|set|cmp|chr|rchr)|bcmp|strlen")


class Profile:
    """Own instructions of every (function, source file) of one callgrind file."""

    def __init__(self, path):
        self.costs = Counter()
        self.names = {"file": {}, "function": {}, "object": {}}
        self.file = self.function = self.object = ""
        skip_next = False
        with open(path, errors="replace") as lines:
            for line in lines:
                if line.startswith("calls="):
                    # The next line is what the callee cost, which is counted where it is the callee's own.
                    skip_next = True
                elif line[0].isdigit() or line[0] in "+-*":
                    if not skip_next:
                        self.costs[self.function, self.file, self.object] += cost_of(line)
                    skip_next = False
                else:
                    self.note_position(line)

    def note_position(self, line):
        match = POSITION.match(line)
        if not match:
            return
        key, number, name = match.groups()
        kind = {"n": "function", "b": "object"}.get(key[-1], "file")
        names = self.names[kind]
        if number and name:
            names[number] = name
        name = name or names.get(number, "")
        if key == "fn":
            self.function = name
        elif key == "ob":
            self.object = name
        elif key in ("fl", "fi", "fe"):
            self.file = name


def cost_of(line):
    fields = line.split()
    return int(fields[1]) if len(fields) > 1 else 0


def per_request(few, many, requests):
    """Instructions a request, by (function, file, object)."""
    difference = Profile(many).costs
    difference.subtract(Profile(few).costs)
    return {where: cost / requests for where, cost in difference.items() if cost}


def crate_of(function, file, library):
    """Inlined code belongs to the crate its source file is in; that of the standard library to whoever inlined it."""
    if MEMORY.search(function):
        return "memcpy, memcmp, memset"
    if ALLOCATION.search(function):
        return "malloc, free"
    in_registry = re.search(r"registry/src/[^/]+/(.+?)-\d+\.\d", file)
    if in_registry:
        return in_registry.group(1)
    in_workspace = re.search(r"crates/([\w-]+)/src/(\w+)", file)
    if in_workspace:
        return f"{in_workspace.group(1)} {in_workspace.group(2)}"
    named = re.match(r"[<&\[(]*(?:mut )?(?:dyn )?([a-z_][a-z0-9_]*)::", function)
    if named:
        return named.group(1).replace("_", "-")
    return os.path.basename(library) or "?"


def by_crate(costs):
    totals = Counter()
    for (function, file, library), cost in costs.items():
        totals[crate_of(function, file, library)] += cost
    return totals.most_common()


def by_function(costs):
    totals = Counter()
    for (function, _, _), cost in costs.items():
        # The same generic function of several types, or of several compilations, is one row.
        totals[re.sub(r"(::h[0-9a-f]{16}|'\d+)$", "", function)] += cost
    return totals.most_common()
