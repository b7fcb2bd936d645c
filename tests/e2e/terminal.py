"""A program on a real screen: tmux holds the terminal, keys go in, and what a person would see comes out.

Needs tmux. It has a server of its own, without the user's configuration.
"""

import pathlib
import re
import subprocess
import time

PATIENCE = 15
BETWEEN_LOOKS = 0.03


class Terminal:
    """Use it in a `with` statement. `environment` is all that the program gets."""

    def __init__(self, command, environment, folder, columns=110, rows=34):
        self.command = [str(part) for part in command]
        self.environment = environment | {"TERM": "tmux-256color", "COLORTERM": "truecolor"}
        self.folder = folder
        self.size = (columns, rows)
        # In the world's own folder, so that nobody else's tmux is ever spoken to.
        self.socket = pathlib.Path(environment["E2E_HOME"]) / "tmux"

    def __enter__(self):
        configuration = self.socket.with_suffix(".conf")
        configuration.write_text(
            "set -g default-terminal tmux-256color\nset -ga terminal-features ',*:RGB'\n"
            "set -g status off\nset -sg escape-time 0\nset -g remain-on-exit on\n",
            encoding="utf-8",
        )
        columns, rows = self.size
        self._tmux("-f", str(configuration), "new-session", "-d", "-s", "e2e", "-x", str(columns), "-y", str(rows),
                   *self.command)
        return self

    def __exit__(self, *_):
        self._tmux("kill-server", may_fail=True)

    def _tmux(self, *arguments, may_fail=False):
        done = subprocess.run(["tmux", "-S", str(self.socket), *arguments], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, check=False)
        if done.returncode and not may_fail:
            raise SystemExit(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *keys):
        """Presses keys by tmux's names of them: `Enter`, `Escape`, `C-w`; other text is typed."""
        for key in keys:
            named = re.fullmatch(r"Enter|Escape|Space|Tab|Up|Down|Left|Right|(C|M)-.", key)
            self._tmux("send-keys", "-t", "e2e", *([] if named else ["-l"]), "--", key)

    def screen(self, colours=False):
        """What is on the screen: a line of text each row, without blanks at the ends."""
        text = self._tmux("capture-pane", "-p", "-t", "e2e", *(["-e"] if colours else []))
        return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"

    def is_over(self):
        """Whether the program has ended."""
        return self._tmux("display-message", "-p", "-t", "e2e", "#{pane_dead}").strip() == "1"

    def until(self, condition):
        """Looks until `condition` says yes to the screen; the last screen, and whether it did."""
        end = time.monotonic() + PATIENCE
        while True:
            screen = self.screen()
            if condition(screen):
                return screen, True
            if time.monotonic() > end:
                return screen, False
            time.sleep(BETWEEN_LOOKS)
