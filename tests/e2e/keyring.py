"""A keyring of its own: gnome-keyring, unlocked and empty, on a message bus that nobody else is on.

Needs dbus, gnome-keyring, libglib2.0-bin and libsecret-tools; see install-packages.
"""

import base64
import re
import subprocess

PATIENCE = 20


class Keyring:
    """Use it in a `with` statement. `environment` has HOME and the XDG folders, and gets the bus's address."""

    def __init__(self, environment):
        self.environment = environment
        self.processes = []

    def __enter__(self):
        try:
            bus = self._start(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"],
                              stdout=subprocess.PIPE, text=True)
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
            daemon = self._start(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            daemon.stdin.write(b"test")
            daemon.stdin.close()
            self._run("gdbus", "wait", "--session", "--timeout", str(PATIENCE), "org.freedesktop.secrets")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=PATIENCE)
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()

    def _start(self, command, **options):
        process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def _run(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False,
                              timeout=2 * PATIENCE)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def items(self, service):
        """How many items there are of a service."""
        found = self._run("gdbus", "call", "--session", "--dest", "org.freedesktop.secrets",
                          "--object-path", "/org/freedesktop/secrets",
                          "--method", "org.freedesktop.Secret.Service.SearchItems", f"{{'service': '{service}'}}")
        return len(re.findall(r"/org/freedesktop/secrets/collection/", found))

    def secrets(self, service):
        """The secret texts of a service, as they are kept, by the names of their items."""
        found = subprocess.run(["secret-tool", "search", "--all", "service", service], env=self.environment,
                               capture_output=True, text=True, check=False, timeout=PATIENCE)
        # What has no secret in it goes to the error output, in the same order.
        texts = re.findall(r"^secret = (.*)$", found.stdout, re.MULTILINE)
        names = re.findall(r"^attribute\.username = (.*)$", found.stderr + found.stdout, re.MULTILINE)
        if len(texts) != len(names):
            raise SystemExit(f"{len(texts)} secrets and {len(names)} names: {found.stderr}")
        return dict(zip(names, texts))

    def tokens(self, service):
        """The tokens in the records of a service: a record is JSON, as Base64, in numbered pieces."""
        records = {}
        for name, text in self.secrets(service).items():
            if piece := re.fullmatch(r"(.*)\.(\d+)", name):
                records.setdefault(piece[1], {})[int(piece[2])] = text
        tokens = set()
        for pieces in records.values():
            whole = "".join(pieces[number] for number in sorted(pieces))
            record = base64.b64decode(whole).decode()
            tokens |= set(re.findall(r'"(?:access|refresh|token)":"([^"]+)"', record))
        return tokens
