"""The part of npm's registry that `npm audit` asks, on this machine: the bulk endpoint for advisories, and packuments.

Run as a program it prints its port and serves until its standard input ends.
"""

import gzip
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import advisories  # noqa: E402

BULK = "/-/npm/v1/security/advisories/bulk"


def packuments(path):
    """Packuments by name, as they are sent."""
    found = {}
    with gzip.open(path, "rt") as file:
        for line in file:
            packument = json.loads(line)
            for version, manifest in packument.get("versions", {}).items():
                manifest.update(name=packument["name"], version=version)
                manifest.setdefault("dist", {"integrity": manifest.pop("integrity", None), "tarball": f"http://127.0.0.1/{version}.tgz"})
                # npm stops at the `true` that old packages have there (npm/metavuln-calculator#98).
                if manifest.get("bundleDependencies") is True:
                    manifest["bundleDependencies"] = list(manifest.get("dependencies", {}))
            found[packument["name"]] = json.dumps(packument).encode()
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rows, packages = {}, {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body) if self.path == BULK else {}
        self.answer(200, json.dumps({name: self.rows[name] for name in asked if name in self.rows}).encode())

    def do_GET(self):
        packument = self.packages.get(unquote(self.path.lstrip("/")))
        self.answer(200 if packument else 404, packument or b"{}")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        # As the public registry says: a second run within five minutes asks for no packument again.
        self.send_header("Cache-Control", "public, max-age=300")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(osv, packument_file):
    if osv != "-":
        Handler.rows, Handler.packages = advisories.bulk_rows(osv), packuments(packument_file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
