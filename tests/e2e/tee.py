#!/usr/bin/env python3
"""tee.py LOG PID_FILE COMMAND...: runs a language server and keeps each message that passes in LOG.

A line of LOG is {"dir": "c2s" or "s2c", "msg": the message}; what is no message has no "msg". The word that all secrets
of the tests have is left out of what the editor says: a user may paste one.
What the server says on standard error goes to the editor, and to a file beside LOG that ends in .stderr instead.
Not a byte is changed on the way. PID_FILE gets the server's process id.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

DEFINITION = pathlib.Path(__file__).resolve().parents[1] / "simulator" / "src" / "marker.rs"
MARKER = re.search(r'^pub const MARKER: &str = "(\w+)";$', DEFINITION.read_text("utf-8"), re.MULTILINE).group(1)
LONGEST_HEAD = 4096
# So many seconds after its end a server's last words are waited for: a child of its own may hold standard error open.
PATIENCE = 1


class Frames:
    """Cuts a stream of bytes into messages."""

    def __init__(self, keep):
        self.keep = keep
        self.rest = b""

    def feed(self, piece):
        self.rest += piece
        while True:
            head, separator, body = self.rest.partition(b"\r\n\r\n")
            if not separator:
                if len(head) > LONGEST_HEAD:
                    self.spoiled("no end of the header")
                return
            length = self.length(head)
            if length is None:
                self.spoiled("no Content-Length")
                return
            if len(body) < length:
                return
            self.rest = body[length:]
            try:
                self.keep({"msg": json.loads(body[:length])})
            except ValueError:
                self.keep({"no_json": body[:200].decode("latin1")})

    @staticmethod
    def length(head):
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        return None

    def spoiled(self, why):
        self.keep({"no_frame": why, "bytes": self.rest[:200].decode("latin1")})
        self.rest = b""

    def end(self):
        if self.rest:
            self.spoiled("the stream ended within a message")


def main():
    log_path, pid_path, *command = sys.argv[1:]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open(pid_path, "w", encoding="ascii") as file:
        file.write(str(server.pid))
    ended = threading.Event()

    def end(number, _):
        # Whatever the server was about to say, nobody waits for it.
        ended.set()
        server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    lock = threading.Lock()
    with open(log_path, "w", encoding="utf-8") as log:

        def relay(source, target, direction):
            def keep(entry):
                line = json.dumps({"dir": direction} | entry)
                if direction == "c2s":
                    line = line.replace(MARKER, "pasted")
                with lock:
                    log.write(line + "\n")
                    log.flush()

            frames = Frames(keep)
            while piece := os.read(source, 1 << 16):
                frames.feed(piece)
                try:
                    write_all(target, piece)
                except BrokenPipeError:
                    return  # Who was to read it is gone.
            if not ended.is_set():
                frames.end()

        def from_errors():
            with open(os.path.splitext(log_path)[0] + ".stderr", "wb", buffering=0) as said:
                while piece := os.read(server.stderr.fileno(), 1 << 16):
                    said.write(piece)
                    try:
                        write_all(2, piece)
                    except OSError:
                        pass  # Nobody listens there any more, but the server goes on.

        def from_editor():
            relay(0, server.stdin.fileno(), "c2s")
            server.stdin.close()

        errors = threading.Thread(target=from_errors, daemon=True)
        errors.start()
        threading.Thread(target=from_editor, daemon=True).start()
        relay(server.stdout.fileno(), 1, "s2c")
        code = server.wait()
        errors.join(PATIENCE)
    os._exit(code if code >= 0 else 128 - code)


def write_all(target, piece):
    while piece:
        piece = piece[os.write(target, piece):]


main()
