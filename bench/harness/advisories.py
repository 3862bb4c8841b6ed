"""Advisories for an audit to look things up in: real ones, and made-up ones that bring their number to the public export's."""

import json
import os
import zipfile

# The public export for npm and crates.io, in round numbers; nine of ten are of malware.
PUBLIC_EXPORT = 200_000
SENTENCE = "This package talks to a domain that is known for malware. "


def real(folder):
    """Every OSV record below a folder."""
    for where, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(".json"):
                with open(os.path.join(where, name)) as file:
                    yield json.load(file)


def made_up(number):
    """A record about a package that nobody has."""
    malware = number % 10 != 0
    name = f"@casque-bench-{number % 300}/{number:x}" if number % 5 == 0 else f"casque-bench-{number:x}"
    events = [{"introduced": "0"}] if malware else [{"introduced": f"{number % 4}.0.0"}, {"fixed": f"{number % 4}.2.{number % 9}"}]
    return {
        "id": f"MAL-2025-{number}" if malware else f"GHSA-{number >> 16:04x}-{number & 0xFFFF:04x}-{number % 7919:04x}",
        "modified": f"2026-0{number % 9 + 1}-10T12:13:14Z",
        "published": "2025-03-04T05:06:07Z",
        "summary": f"Something about {name} that takes a line",
        "details": SENTENCE * 6,
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "affected": [{
            "package": {"ecosystem": "npm", "name": name},
            "ranges": [{"type": "SEMVER", "events": events}],
            "versions": [f"1.0.{patch}" for patch in range(number % 6)],
        }],
        "references": [{"type": "WEB", "url": f"https://example.com/{number}"}],
        "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-506"]},
    }


def write_made_up(path, count):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(count):
            archive.writestr(f"{number}.json", json.dumps(made_up(number)))


def bulk_rows(folder):
    """What npm's registry would answer about each package: a row for each affected entry of each record in force."""
    rows = {}
    for record in real(folder):
        if record.get("withdrawn"):
            continue
        for entry in record.get("affected", []):
            if entry.get("package", {}).get("ecosystem") != "npm":
                continue
            name = entry["package"]["name"]
            rows.setdefault(name, []).append({
                "id": len(rows) * 100 + len(rows.get(name, [])),
                "url": f"https://github.com/advisories/{record['id']}",
                "title": record.get("summary", ""),
                "severity": (record.get("database_specific", {}).get("severity") or "moderate").lower(),
                "vulnerable_versions": vulnerable(entry),
                "cwe": record.get("database_specific", {}).get("cwe_ids", []),
                "cvss": {"score": 0, "vectorString": None},
            })
    return rows


def vulnerable(entry):
    """An entry's ranges as npm writes them."""
    spans = []
    for found in entry.get("ranges", []):
        low = None
        for event in found.get("events", []):
            if "introduced" in event:
                low = event["introduced"]
                spans.append("*" if low == "0" else f">={low}")
            elif spans:
                end = f"<{event['fixed']}" if "fixed" in event else f"<={event['last_affected']}" if "last_affected" in event else ""
                spans[-1] = end if low == "0" and end else f"{spans[-1]} {end}".strip()
    return " || ".join(spans + [f"={version}" for version in entry.get("versions", []) if not spans]) or "<0.0.0-0"
