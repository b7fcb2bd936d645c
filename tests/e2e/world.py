#!/usr/bin/env python3
"""The world that an editor is tested in: a simulated Bitbucket, a clone of the sample, the real server behind a tee.

    world.py run NAME COMMAND...     runs an editor in a world of its own; NAME names the logs of the messages
    world.py control ROUTE [JSON]    in a world: changes what Bitbucket has; see tests/simulator/src/control.rs
    world.py tells ROUTE             in a world: what Bitbucket has, as JSON
    world.py git ARGUMENT...         in a world: git in the clone, signed in to the simulated Bitbucket

Nothing of the user's is read or written: home, configuration, cache and git's settings are in a temporary folder.
In a world the environment has E2E_CLONE (the clone), E2E_HOME (the temporary folder), E2E_PID_FILE (the server's process
id), E2E_CONTROL (an address), E2E_WORLD (this file), and `bitbucket-lsp` on the path.
Needs Python's own library only.
"""

import datetime
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "e2e"
BINARIES = pathlib.Path(os.environ.get("E2E_BINARIES") or ROOT / "target" / "debug")
LOGS = pathlib.Path(os.environ.get("E2E_LOGS") or ROOT / "target" / "e2e" / "logs")
EDITORS = pathlib.Path(os.environ.get("BITBUCKET_LSP_EDITORS") or ROOT / ".editors")

# Where worlds leave what was written in them, for tests/canary/search.
LEFT = ROOT / "target" / "e2e" / "worlds"
# What is not left: secrets that are kept on purpose (the scenario, the file store of tokens, the user's own file, which
# may hold a consumer's secret, the keyring), and what is none of the server's (the clone, programs of the tests).
NOT_LEFT = ("scenario.toml", "state/secrets", "config/config.toml", "xdg/data/keyrings", "xdg/config/chromium", "till", "bin", "run")

# So long ago was the last word in the sample. With this much no age of the sample turns into the next one
# (59 minutes ago, 1 hour ago) within ten minutes, so screens that show ages stay the same during a run.
SAID = datetime.timedelta(hours=1, minutes=20)


class World:
    """Use it in a `with` statement; what it needs is gone afterwards."""

    def __init__(self, name, scenario=ROOT / "tests" / "fixtures" / "demo.toml"):
        self.name = name
        self.scenario = scenario

    def __enter__(self):
        # Always as long as this, so that lines with the path in them are cut at the same place; and without a letter
        # that Markdown would have to escape.
        self.home = pathlib.Path(f"/tmp/e2e-{secrets.token_hex(4)}")
        self.home.mkdir(mode=0o700)
        self.clone = self.home / "till"
        self.pid_file = self.home / "server.pid"
        self.logs = LOGS
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in [*self.logs.glob(f"{self.name}.*.jsonl"), *self.logs.glob(f"{self.name}.*.stderr")]:
            old.unlink()
        said_until = datetime.datetime.now(datetime.timezone.utc) - SAID
        command = [BINARIES / "simulator", "serve", self._scenario(), "--clone", self.clone]
        command += ["--said-until", said_until.strftime("%Y-%m-%dT%H:%M:%SZ")]
        self.simulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.simulator.stdout.readline()
        if not line:
            raise SystemExit(f"{BINARIES / 'simulator'} did not start")
        self.facts = json.loads(line)
        (self.home / "tmp").mkdir(mode=0o700)
        self.environment = self._environment()
        self._install_server()
        return self

    def __exit__(self, *_):
        violations = self.violations()
        self.simulator.stdin.close()
        self.simulator.wait(timeout=10)
        self._leave()
        shutil.rmtree(self.home, ignore_errors=True)
        if violations:
            raise SystemExit("Bitbucket would refuse what was sent:\n" + "\n".join(violations))

    def _leave(self):
        """Keeps what the server and the editor wrote. Links stay links; what is no file or folder is left out."""

        def not_left(folder, names):
            here = pathlib.Path(folder)
            others = (name for name in names if not ((here / name).is_file() or (here / name).is_dir()))
            known = (name for name in names if (here / name).relative_to(self.home).as_posix() in NOT_LEFT)
            # A browser that has not ended yet keeps the addresses that it was at, the one with the code too.
            browsers = (name for name in names if here == self.home and name.startswith("chromium-"))
            return {*known, *browsers, *(name for name in others if not (here / name).is_symlink())}

        target = LEFT / self.name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.home, target, symlinks=True, ignore=not_left)

    def _scenario(self):
        """The file that says what Bitbucket has."""
        return self.scenario

    def _environment(self):
        kept = ("PATH", "LANG", "LC_ALL", "TERM", "CI", "PYTHONPATH", "UPDATE_SCREENS")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= self.facts["environment"]
        for part in ("CONFIG", "DATA", "STATE", "CACHE"):
            environment[f"XDG_{part}_HOME"] = str(self.home / "xdg" / part.lower())
        for part in ("CONFIG", "STATE", "CACHE"):
            environment[f"BITBUCKET_LSP_{part}"] = str(self.home / part.lower())
        environment |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.home / 'bin'}:{environment.get('PATH', os.defpath)}",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "E2E_ROOT": str(ROOT),
            "E2E_WORLD": str(HERE / "world.py"),
            "E2E_HOME": str(self.home),
            "E2E_CLONE": str(self.clone),
            "E2E_PID_FILE": str(self.pid_file),
            "E2E_CONTROL": self.facts["control_url"],
            "E2E_TOKEN": self.facts["token"],
        }
        return environment

    def _install_server(self):
        """`bitbucket-lsp` on the path: behind the tee where it serves an editor, as it is for `--version` and such."""
        folder = self.home / "bin"
        folder.mkdir()
        program = folder / "bitbucket-lsp"
        server, tee = BINARIES / "bitbucket-lsp", HERE / "tee.py"
        program.write_text(
            "#!/bin/sh\n"
            f'case "$*" in "" | --stdio) ;; *) exec "{server}" "$@" ;; esac\n'
            f'exec "{sys.executable}" "{tee}" "{self.logs}/{self.name}.$$.jsonl" "$E2E_PID_FILE" "{server}" "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)

    def run(self, command, **options):
        """Runs a command in the clone and in this world's environment; its exit code."""
        return subprocess.run(command, cwd=self.clone, env=self.environment, check=False, **options).returncode

    def control(self, route, **members):
        return control(self.facts["control_url"], route, members)

    def violations(self):
        return tells(self.facts["control_url"], "violations")

    def git(self, *arguments):
        return git(self.clone, self.facts["token"], arguments)


def control(url, route, members):
    """Changes what the simulated Bitbucket has; what it answers."""
    request = urllib.request.Request(f"{url}/{route}", data=json.dumps(members).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{route}: {error.read().decode()}") from error


def tells(url, route):
    """What the simulated Bitbucket has."""
    with urllib.request.urlopen(f"{url}/{route}", timeout=10) as answer:
        return json.load(answer)


def git(clone, token, arguments):
    """git's output. The token goes by the environment, where no list of processes shows it."""
    helper = '!f() { echo username=x-token-auth; echo "password=$E2E_TOKEN"; }; f'
    environment = os.environ | {
        "E2E_TOKEN": token,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
    }
    command = ["git", "-C", str(clone), "-c", f"credential.helper={helper}", "-c", "protocol.file.allow=always"]
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def main():
    match sys.argv[1:]:
        case ["run", name, *command] if command:
            with World(name) as world:
                code = world.run(command)
            return code
        case ["control", route, *rest]:
            print(json.dumps(control(os.environ["E2E_CONTROL"], route, json.loads(rest[0]) if rest else {})))
            return 0
        case ["tells", route]:
            print(json.dumps(tells(os.environ["E2E_CONTROL"], route)))
            return 0
        case ["git", *arguments] if arguments:
            print(git(os.environ["E2E_CLONE"], os.environ["E2E_TOKEN"], arguments))
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
