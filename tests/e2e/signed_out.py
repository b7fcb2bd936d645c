#!/usr/bin/env python3
"""A world in which nobody is signed in, but may: an OAuth consumer, an empty keyring, and a browser.

    signed_out.py run NAME COMMAND...    as world.py does, with no token in the environment

`xdg-open` is on the path; E2E_BROWSER says what is done there: see browser/visit.py. E2E_BROWSER_VISITS is where it is
told, a folder for each visit. Needs what keyring.py and browser/chromium.py need.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import keyring
import world

VISITS = world.ROOT / "target" / "e2e" / "browser"
# What the simulated Bitbucket knows besides: the token that git uses, and one that somebody has made by hand.
MARKER = "c4n4ryT0k3n"
ACCOUNTS = [
    {"user": "ana", "token": f"e2e-git-{MARKER}-of-ana"},
    {"user": "ana", "email": "ana@corner.test", "token": f"e2e-made-{MARKER}-of-ana"},
]
CONSUMER = {"key": "e2eConsumerKey", "secret": "e2eConsumerSecret-c4n4ryT0k3n"}
SERVICE = "bitbucket-lsp"
PATIENCE = 20


class SignedOut(world.World):
    """Use it in a `with` statement. Without `consumer` the server is configured with none."""

    def __init__(self, name, consumer=True):
        super().__init__(name)
        self.has_consumer = consumer

    def __enter__(self):
        self.port = free_port()
        self.visits = VISITS / self.name
        shutil.rmtree(self.visits, ignore_errors=True)
        super().__enter__()
        try:
            # It holds tokens, and files with tokens are searched for.
            (self.home / "scenario.toml").unlink()
            program = self.home / "bin" / "xdg-open"
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{world.HERE}/browser/xdg-open" "$@"\n', encoding="utf-8")
            program.chmod(0o755)
            self._configure()
            self.keyring = keyring.Keyring(self.environment)
            self.keyring.__enter__()
        except BaseException:
            super().__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            for file in self.visits.glob("*/pid"):
                # A visit that has its report has ended by itself.
                if not file.with_name("report.json").exists():
                    end_group(int(file.read_text(encoding="ascii")))
            self.keyring.__exit__()
        finally:
            super().__exit__()

    def _scenario(self):
        """The same, with accounts, and a consumer whose callback is the port of this world."""
        path = self.home / "scenario.toml"
        consumer = {"name": "Bitbucket in your editor", "callback": f"http://127.0.0.1:{self.port}/callback"} | CONSUMER
        lines = [self.scenario.read_text(encoding="utf-8")]
        for kind, table in [("consumer", consumer), *(("account", account) for account in ACCOUNTS)]:
            lines += [f"[[{kind}]]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    def _environment(self):
        environment = super()._environment()
        # What git and the tests need has another name: E2E_TOKEN.
        for name in ("BITBUCKET_TOKEN", "BITBUCKET_EMAIL", "BITBUCKET_API_TOKEN"):
            environment.pop(name, None)
        runtime = self.home / "run"
        runtime.mkdir(mode=0o700)
        email, token = ACCOUNTS[1]["email"], ACCOUNTS[1]["token"]
        return environment | {"XDG_RUNTIME_DIR": str(runtime), "E2E_BROWSER_VISITS": str(self.visits),
                              "E2E_API_EMAIL": email, "E2E_API_TOKEN": token}

    def _configure(self):
        folder = self.home / "config"
        folder.mkdir(mode=0o700)
        lines = ["[oauth]", *(f"{name} = {json.dumps(value)}" for name, value in CONSUMER.items()), f"ports = [{self.port}]"]
        lines = lines if self.has_consumer else []
        file = folder / "config.toml"
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        file.chmod(0o600)

    def start(self, command, **options):
        """Starts a command in the clone and in this world's environment."""
        environment = self.environment | options.pop("also", {})
        return subprocess.Popen(command, cwd=self.clone, env=environment, **options)

    def reports(self):
        """What the browser's visits came to, in their order."""
        folders = sorted(self.visits.glob("*"), key=lambda folder: int(folder.name))
        files = [folder / "report.json" for folder in folders]
        return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]

    def files_with(self, texts):
        """The files of the world, of what was said to editors and of the browser, in which one of these texts is."""
        found = []
        for path in [*self.home.rglob("*"), *self.logs.glob(f"{self.name}.*.jsonl"), *self.visits.rglob("*")]:
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                found += [str(path) for text in texts if text.encode() in content]
        return found


def wait_for(probe, what, patience=60):
    """What `probe` gives, once that is something."""
    end = time.monotonic() + patience
    while not (seen := probe()):
        if time.monotonic() > end:
            raise SystemExit(f"no {what} within {patience} s")
        time.sleep(0.05)
    return seen


def free_port():
    """A port that is free now, from below the range that systems hand out by themselves."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def end_group(group):
    """Ends a group of processes that this world started, and waits until it is gone."""
    end = time.monotonic() + PATIENCE
    number = signal.SIGTERM
    while time.monotonic() < end:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return
        number = 0
        time.sleep(0.02)
    os.killpg(group, signal.SIGKILL)


def main():
    match sys.argv[1:]:
        case ["run", name, *command] if command:
            with SignedOut(name) as sample:
                return sample.run(command)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
