#!/usr/bin/env python3
"""A server with every vice, for the tests of `lancet pull`.

pull_server.py FOLDER TINY: listens on a free port of this machine and writes its number to FOLDER/port; FOLDER/log gets a
line for each request, TINY is the folder of the tiny model. The first part of a path says how the server behaves towards
whoever asks for weights, http://127.0.0.1:PORT/BEHAVIOUR/MODEL/FILE; everything else it serves as it should. It remembers
how often weights have been asked for, so that a behaviour may change: each test uses one of its own.
SPDX-License-Identifier: Apache-2.0
"""

import collections
import hashlib
import http.server
import os
import re
import sys
import threading
import time

folder, tiny = sys.argv[1:3]
asked = collections.Counter()
lock = threading.Lock()


def pattern(seed, size):
    """Bytes that a test can make again (pull_models.c has their hashes)."""
    return bytes((i * 7 + (i >> 8) * 13 + seed) & 255 for i in range(size))


def read(name):
    with open(os.path.join(tiny, name), "rb") as file:
        return file.read()


files = {
    "pinned.pt": pattern(1, 300000),
    "model.safetensors": pattern(2, 200000),
    "model.bin": pattern(3, 150000),
    "merges.txt": read("merges.txt"),
    "open_clip_config.json": b'{"model_cfg": {"embed_dim": 64}}\n',
}
changed = pattern(9, 200000)
large = pattern(4, 1500000)
web_page = b"<!doctype html><title>Log in to the network first</title>\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        _, behaviour, *model, name = self.path.split("/")
        weights = name.endswith((".pt", ".bin", ".safetensors"))
        body = read(name) if weights and model == ["Tiny"] else files.get(name)
        with lock:
            asked[behaviour] += weights
            count = asked[behaviour]
            with open(os.path.join(folder, "log"), "a") as log:
                print(self.path, "range=" + self.headers.get("Range", "-"), "if=" + self.headers.get("If-Range", "-"),
                      "authorization=" + self.headers.get("Authorization", "-"), file=log)
        if body is None:
            self.answer(404, web_page, {"Content-Type": "text/html"})
        elif weights:
            try:
                getattr(self, "be_" + behaviour)(body, count)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
        elif behaviour == "broken_config" and name.endswith(".json"):
            self.answer(200, b'{"model_cfg": ')
        else:
            self.answer(200, body)

    # ---- Pieces -----------------------------------------------------------------------------------------------------

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def answer(self, status, body, headers={}, length=None, send=None):
        """The whole answer, or (send) only so much of its body; the connection breaks off then."""
        self.head(status, {"Content-Length": str(len(body) if length is None else length), **headers})
        self.wfile.write(body if send is None else body[:send])
        if send is not None or length not in (None, len(body)):
            self.wfile.flush()
            self.close_connection = True

    def identity(self, body, linked=True):
        digest = hashlib.sha256(body).hexdigest()
        headers = {"ETag": '"%s"' % digest[:16]}
        if linked:
            headers.update({"X-Linked-Etag": '"%s"' % digest, "X-Linked-Size": str(len(body))})
        return headers

    def start(self):
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match[1]) if match else 0

    def serve(self, body, send=None, heed=True, **more):
        """As it should be; `heed`: whether If-Range is."""
        headers = {**self.identity(body), **more}
        start = self.start()
        if heed and self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            start = 0
        if start > len(body):
            self.answer(416, b"")
        elif start:
            headers["Content-Range"] = "bytes %d-%d/%d" % (start, len(body) - 1, len(body))
            self.answer(206, body[start:], headers, send=send)
        else:
            self.answer(200, body, headers, send=send)

    # ---- Behaviours -------------------------------------------------------------------------------------------------

    def be_good(self, body, count):
        self.serve(body)

    be_broken_config = be_good

    def be_breaks(self, body, count):
        self.serve(body, send=100000 if count == 1 else 50000 if count == 2 else None)

    def be_always_breaks(self, body, count):
        self.serve(body, send=1000)

    def be_breaks_once(self, body, count):
        self.serve(body, send=120000 if count == 1 else None)

    def be_ignores_range(self, body, count):
        self.answer(200, body, self.identity(body), send=100000 if count == 1 else None)

    def be_other_part(self, body, count):
        if self.start():
            self.answer(206, body[7:], {**self.identity(body),
                                        "Content-Range": "bytes 7-%d/%d" % (len(body) - 1, len(body))})
        else:
            self.answer(200, body, self.identity(body), send=100000 if count == 1 else None)

    def be_changes(self, body, count):
        self.serve(body if count == 1 else changed, send=100000 if count == 1 else None)

    def be_changes_unheeding(self, body, count):
        self.serve(body if count == 1 else changed, send=100000 if count == 1 else None, heed=False)

    def be_shrinks(self, body, count):
        self.serve(body if count == 1 else body[:50000], send=100000 if count == 1 else None, heed=False)

    def be_announces_less(self, body, count):
        self.answer(200, body, self.identity(body, linked=False), length=len(body) - 1000)

    def be_announces_less_linked(self, body, count):
        self.answer(200, body, {"X-Linked-Etag": self.identity(body)["X-Linked-Etag"]}, length=len(body) - 1000)

    def be_announces_more(self, body, count):
        self.answer(200, body, self.identity(body, linked=False), length=len(body) + 1000)

    def be_announces_more_linked(self, body, count):
        if self.start():
            self.head(206, {"Content-Length": "1000",
                            "Content-Range": "bytes %d-%d/%d" % (len(body), len(body) + 999, len(body) + 1000)})
            self.close_connection = True
        else:
            self.answer(200, body, self.identity(body, linked=False), length=len(body) + 1000)

    def be_contradicts_itself(self, body, count):
        self.answer(200, body, {**self.identity(body), "X-Linked-Size": str(len(body) - 1)})

    def be_wrong(self, body, count):
        self.answer(200, body[::-1], self.identity(body, linked=False))

    def be_wrong_linked(self, body, count):
        self.answer(200, body[::-1], self.identity(body))

    def be_links_other(self, body, count):
        self.answer(200, body, self.identity(body[::-1]))

    def be_missing(self, body, count):
        self.answer(404, web_page, {"Content-Type": "text/html"})

    def be_second(self, body, count):
        if self.path.endswith(".safetensors"):
            self.be_missing(body, count)
        else:
            self.serve(body)

    def be_forbidden(self, body, count):
        self.answer(403, web_page, {"Content-Type": "text/html"})

    def be_broken(self, body, count):
        self.answer(500, web_page, {"Content-Type": "text/html"})

    def be_broken_first(self, body, count):
        if count <= 2:
            self.answer(503, web_page, {"Content-Type": "text/html", "Retry-After": "1" if count == 1 else "soon"})
        else:
            self.serve(body)

    def be_web_page(self, body, count):
        self.answer(200, web_page, {"Content-Type": "text/html; charset=utf-8"})

    def be_empty(self, body, count):
        self.answer(200, b"")

    def be_redirects(self, body, count):
        self.answer(302, b"", {"Location": self.path.replace("/redirects/", "/good/")})

    def be_redirects_linked(self, body, count):
        """As Hugging Face does: what identifies the file comes with the redirect, not from the store it leads to."""
        headers = self.identity(body)
        self.answer(302, b"Found", {"Location": "/store/x/" + self.path.split("/")[-1], "ETag": '"redirect"',
                                    "X-Linked-Etag": headers["X-Linked-Etag"], "X-Linked-Size": headers["X-Linked-Size"]})

    def be_store(self, body, count):
        headers = self.identity(body, linked=False)
        if self.start():
            headers["Content-Range"] = "bytes %d-%d/%d" % (self.start(), len(body) - 1, len(body))
        self.answer(206 if self.start() else 200, body[self.start():], headers, send=100000 if count == 1 else None)

    def be_loops(self, body, count):
        self.answer(302, b"", {"Location": self.path})

    def be_leads_to_file(self, body, count):
        self.answer(302, b"", {"Location": "file:///etc/passwd"})

    def be_leads_to_ftp(self, body, count):
        self.answer(302, b"", {"Location": "ftp://127.0.0.1/weights"})

    def be_leads_to_user(self, body, count):
        self.answer(302, b"", {"Location": "http://user:word@127.0.0.1:%d/good/x/pinned.pt" % self.server.server_port})

    def be_hangs(self, body, count):
        time.sleep(30)
        self.close_connection = True

    def be_stalls(self, body, count):
        if count > 1:
            self.serve(body)
            return
        self.head(200, {"Content-Length": str(len(body)), **self.identity(body)})
        self.wfile.write(body[:100000])
        self.wfile.flush()
        time.sleep(30)
        self.close_connection = True

    def be_slow(self, body, count):
        self.head(200, {"Content-Length": str(len(body)), **self.identity(body)})
        for start in range(0, len(body), 10000):
            self.wfile.write(body[start:start + 10000])
            self.wfile.flush()
            time.sleep(0.1)

    def be_large(self, body, count):
        self.serve(large)

    def be_huge(self, body, count):
        self.head(200, {"Content-Length": str(9 * 10 ** 14)})
        self.wfile.write(body)
        self.close_connection = True

    def chunked(self, body, headers):
        self.head(200, {"Transfer-Encoding": "chunked", **headers})
        for start in range(0, len(body), 16384):
            chunk = body[start:start + 16384]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def be_chunked(self, body, count):
        self.chunked(body, {})

    def be_chunked_long(self, body, count):
        self.chunked(body + b"more", {})

    def be_chunked_short(self, body, count):
        self.chunked(body[:-4], {})

    def be_without_hash(self, body, count):
        self.answer(200, body)

    def be_odd_etag(self, body, count):
        self.answer(200, body, {**self.identity(body), "ETag": '"%s"' % ("x" * 1000)})


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that hangs up is no news
            super().handle_error(request, client_address)


def end_with(parent):
    """A test that was killed leaves no server behind."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
server = Server(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(os.path.join(folder, "port.part"), "w") as port:
    print(server.server_port, file=port)
os.rename(os.path.join(folder, "port.part"), os.path.join(folder, "port"))
server.serve_forever()
