"""The world that git is tested in: a simulated Bitbucket, a home folder, a git of some version, the real helper.

Everything is in one folder, whose `home` is HOME; the user's own git configuration is `home/.gitconfig`, and there is no
other one. What git and the helper do is traced into `logs`. Tokens are kept in files, in `state/secrets`, and must be
nowhere else; `server` holds the repositories of the simulated Bitbucket.
"""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "git-helper"
BINARIES = pathlib.Path(os.environ.get("E2E_BINARIES") or ROOT / "target" / "debug")
SCENARIO = HERE / "scenario.toml"
SERVER = BINARIES / "bitbucket-lsp"

CONSUMER = {"key": "gitHelperConsumer", "secret": "consumer-c4n4ryT0k3n-of-the-git-helper"}
BEN = {"email": "ben@corner.test", "token": "ATATT3x-c4n4ryT0k3n-of-ben"}
ORCHARD = {"token": "ATCTT3x-c4n4ryT0k3n-of-the-orchard"}

PATIENCE = 60
# Loopback is never asked of a proxy.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Git:
    """A git, by the folder that install-git prints; without one the machine's own."""

    def __init__(self, folder=None):
        self.environment = {}
        if folder:
            self.environment = {
                "PATH": f"{folder}/usr/bin:{os.environ.get('PATH', os.defpath)}",
                "GIT_EXEC_PATH": f"{folder}/usr/lib/git-core",
                "GIT_TEMPLATE_DIR": f"{folder}/usr/share/git-core/templates",
            }
        said = subprocess.run(["git", "--version"], env=os.environ | self.environment, capture_output=True, text=True, check=True)
        self.name = re.search(r"[0-9]+\.[0-9]+\.[0-9]+", said.stdout)[0]
        self.version = tuple(int(part) for part in self.name.split("."))
        # Since then helpers may say that an answer is not to be stored.
        self.knows_authtype = self.version >= (2, 46)


class Done:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def ok(self):
        return self.code == 0

    @property
    def sentences(self):
        """What the helper said to the user while git ran."""
        return [line for line in self.err.splitlines() if line.startswith("bitbucket-lsp: ")]

    def __str__(self):
        lines = [line for line in self.err.splitlines() if not re.match(r"[0-9-]+T[0-9:.]+Z", line)]
        return f"it ended with {self.code}: " + " / ".join(lines[-6:])


class World:
    """Use it in a `with` statement; no process of it is left afterwards. The folder must not be there yet."""

    def __init__(self, folder, git):
        self.folder, self.git_used = folder, git
        self.home, self.logs = folder / "home", folder / "logs"
        self.global_config = self.home / ".gitconfig"
        self.stored = self.home / ".git-credentials"
        self.secrets = folder / "state" / "secrets"
        self.number = 0

    def __enter__(self):
        for name in ("home", "logs", "config", "server"):
            (self.folder / name).mkdir(mode=0o700, parents=True)
        environment = os.environ | {"TMPDIR": str(self.folder / "server")}
        command = [BINARIES / "simulator", "serve", SCENARIO]
        self.simulator = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        facts = json.loads(self.simulator.stdout.readline() or "{}")
        if not facts:
            raise SystemExit(f"{command[0]} did not start")
        self.web, self.control_url = facts["web_url"], facts["control_url"]
        self.host = self.web.removeprefix("http://")
        # A repository that git pushes to tells in its reflog who did.
        for config in (self.folder / "server").glob("simulator-*/*/*.git/config"):
            with open(config, "a", encoding="utf-8") as file:
                file.write("[core]\n\tlogAllRefUpdates = always\n")
        self.environment = self._environment(facts)
        port = free_port()
        browser = self.folder / "browser"
        self._write(browser, f'#!/bin/sh\necho "$1" >> "{self.logs}/browser"\n')
        browser.chmod(0o700)
        self._write(self.folder / "config" / "config.toml", f'store = "file"\nbrowser = "{browser}"\n[oauth]\nports = [{port}]\n')
        self.must(self.lsp("auth", "consumer", "--key", CONSUMER["key"], stdin=CONSUMER["secret"]))
        return self

    def __exit__(self, *_):
        self.git("credential-cache", "exit")
        self.simulator.stdin.close()
        self.simulator.wait(timeout=10)

    def _environment(self, facts):
        kept = ("PATH", "TMPDIR", "CI")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | self.git_used.environment
        for part, place in {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}.items():
            environment[f"XDG_{part}_HOME"] = str(self.home / place)
        for part in ("CONFIG", "STATE", "CACHE"):
            environment[f"BITBUCKET_LSP_{part}"] = str(self.folder / part.lower())
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{role}_NAME": "Local Person", f"GIT_{role}_EMAIL": "local@corner.test"}
        return environment | {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "RUST_BACKTRACE": "0",
            "BITBUCKET_API_URL": facts["api_url"],
            "BITBUCKET_WEB_URL": facts["web_url"],
            "BITBUCKET_LSP_LOG": "trace",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_TRACE": str(self.logs / "git.trace"),
            "GIT_TRACE_CURL": str(self.logs / "git.curl"),
            "GIT_TRACE2_EVENT": str(self.logs / "git.events"),
        }

    @staticmethod
    def _write(path, text):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    # What is run.

    def start(self, *command, cwd=None, quiet=False, **also):
        """Starts a command, in the home folder if no other is named. `quiet`: the helper logs nothing."""
        environment = self.environment | also
        if quiet:
            environment.pop("BITBUCKET_LSP_LOG")
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=cwd or self.home, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)

    def end(self, process, stdin=""):
        """What a command that was started came to. Its standard error is kept; its output may hold a token."""
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        out, err = process.communicate(given, timeout=PATIENCE)
        self.number += 1
        (self.logs / f"{self.number:03}.stderr").write_bytes(err)
        return Done(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def run(self, *command, stdin="", **options):
        return self.end(self.start(*command, **options), stdin)

    def git(self, *arguments, **options):
        return self.run("git", *arguments, **options)

    def lsp(self, *arguments, **options):
        return self.run(SERVER, *arguments, **options)

    def must(self, done):
        """For what is no check itself."""
        if not done.ok:
            raise SystemExit(f"{self.folder.name}: {done}")
        return done.out

    def ask(self, operation, question, **options):
        """Asks the helper as git does."""
        return self.lsp("credential", operation, stdin=question, **({"quiet": True} | options))

    # Who is signed in.

    def sign_in_ana(self):
        """By OAuth, with this in the browser's place: it opens the page, presses Grant and goes where it is sent."""
        self.control("oauth/sign_in", user="ana")
        process = self.start(SERVER, "auth", "login")
        process.stdin.close()
        process.stdin = None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith(b"  http"):
                press_grant(line.decode().strip())
                break
        done = self.end(process)
        (self.logs / f"{self.number:03}.stderr").write_bytes(b"".join(said) + done.err.encode())
        return done

    def sign_in_ben(self):
        return self.lsp("auth", "token", "--email", BEN["email"], stdin=BEN["token"])

    def sign_in_orchard(self):
        return self.lsp("auth", "token", "--repository", "orchard/apples", stdin=ORCHARD["token"])

    # What there is.

    def url(self, repository, user=None):
        return f"http://{user}@{self.host}/{repository}.git" if user else f"{self.web}/{repository}.git"

    def question(self, *more, capable=None):
        """As git asks for this Bitbucket."""
        capable = self.git_used.knows_authtype if capable is None else capable
        first = ["capability[]=authtype", "capability[]=state"] if capable else []
        return "".join(f"{line}\n" for line in [*first, "protocol=http", f"host={self.host}", *more, ""])

    def control(self, route, /, **members):
        """Changes what the simulated Bitbucket has; what it answers."""
        data = json.dumps(members).encode()
        with DIRECT.open(urllib.request.Request(f"{self.control_url}/{route}", data=data), timeout=10) as answer:
            return json.load(answer)

    def oauth(self):
        return self.control("oauth")

    def violations(self):
        with DIRECT.open(f"{self.control_url}/violations", timeout=10) as answer:
            return json.load(answer)

    def pushed_last(self, repository):
        """Who pushed to the main branch last, as Bitbucket saw it."""
        [folder] = (self.folder / "server").glob(f"simulator-*/{repository}.git")
        log = folder / "logs" / "refs" / "heads" / "main"
        if not log.exists():
            return None
        return re.match(r"\S+ \S+ (.*) <", log.read_text(encoding="utf-8").splitlines()[-1])[1]

    def commit(self, clone, text):
        with open(clone / "notes.txt", "a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        self.must(self.git("add", "notes.txt", cwd=clone))
        self.must(self.git("commit", "--quiet", "-m", text, cwd=clone))

    def pages_opened(self):
        file = self.logs / "browser"
        return file.read_text(encoding="utf-8").count("\n") if file.exists() else 0

    def cached(self):
        """Whether `git credential-cache` has something for this Bitbucket in its memory."""
        return self.must(self.git("credential-cache", "get", stdin=self.question())) != ""


def press_grant(page):
    with DIRECT.open(page, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    form = {"request": re.search(r'name="request" value="(\w+)"', text)[1], "decision": "grant"}
    address = urllib.parse.urljoin(page, re.search(r'action="([^"]+)"', text)[1])
    with DIRECT.open(address, data=urllib.parse.urlencode(form).encode(), timeout=PATIENCE) as answer:
        answer.read()


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

