#!/usr/bin/env python3
"""screens.py NVIM: Neovim on a real screen, as a person uses it; each screen is compared with screens/NAME.txt.

UPDATE_SCREENS=1 writes the files anew: look at them before you commit them.
In the files the temporary folder is /tmp/e2e-________ and each port is 00000, as long as they really are, and the version
is 0.0.0.
"""

import difflib
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import terminal
import world

HERE = pathlib.Path(__file__).resolve().parent
SCREENS = HERE / "screens"
UPDATE = os.environ.get("UPDATE_SCREENS") == "1"


def normal(screen):
    """A screen without what differs from run to run, each line as long as it was."""
    screen = re.sub(r"/tmp/e2e-[0-9a-f]{8}", "/tmp/e2e-________", screen)
    screen = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:00000", screen)
    screen = re.sub(r"bitbucket-lsp \d+\.\d+\.\d+", "bitbucket-lsp 0.0.0", screen)
    screen = re.sub(r"(reply|comment)-[0-9a-f]{16}\.md", r"\1-________________.md", screen)
    # What was just read may be a minute old by now.
    return re.sub(r"as of (1 minute ago|just now)", "as of just now", screen)


class Journey:
    """A person at the keyboard."""

    def __init__(self, screen, sample):
        self.terminal = screen
        self.world = sample
        self.passed = self.failed = 0

    def keys(self, *keys):
        self.terminal.keys(*keys)

    def command(self, text):
        self.keys(f":{text}", "Enter")

    def sees(self, name):
        """Waits until the screen is the one in the file; when files are written anew, until it rests."""
        path = SCREENS / f"{name}.txt"
        if UPDATE:
            path.write_text(normal(self._rest()), encoding="utf-8")
            self._count(True, f"{name} (written)")
            return
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        screen, ok = self.terminal.until(lambda seen: normal(seen) == expected)
        self._count(ok, f"screen {name}")
        if not ok:
            lines = (expected.splitlines(), normal(screen).splitlines())
            print("\n".join(difflib.unified_diff(*lines, f"{name}.txt", "what is there", lineterm="", n=1)))

    def has(self, text, what):
        """Waits until a text is on the screen."""
        screen, ok = self.terminal.until(lambda seen: text in seen)
        self._count(ok, what)
        if not ok:
            print(f"no {text!r} in:\n{screen}")

    def _rest(self):
        """The screen once it has not changed for a while: only for writing the files, which a person then looks at."""
        looks = []
        screen, _ = self.terminal.until(lambda seen: (looks.append(seen), len(looks) > 80 and len(set(looks[-60:])) == 1)[1])
        return screen

    def _count(self, ok, what):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        print("ok" if ok else "FAIL", what, flush=True)


def journey(person):
    """From opening the sample to leaving it."""
    person.sees("01-cart")
    person.command("Bitbucket next")
    person.sees("02-next-comment")
    person.command("Bitbucket thread")
    person.sees("03-thread")
    person.command("Bitbucket next")
    person.sees("04-next-file")
    person.command("15")
    person.command("Bitbucket thread")
    person.sees("05-suggestion")

    # Three lines at the top, not saved: the comments stay with their code.
    person.keys("gg", "Oimport enum", "Enter", "import math", "Enter", "Escape")
    person.sees("06-edited-above")
    person.command("16")
    person.command("Bitbucket thread")
    person.sees("07-moved-thread")
    person.command("19d")
    person.sees("08-commented-line-deleted")
    person.keys("uu")
    person.command("24")
    person.command("Bitbucket thread")
    person.sees("09-changed-since")
    person.command("set nomodified")

    person.keys("l", "gra")
    person.sees("10-actions")
    person.keys("7", "Enter")
    person.sees("11-thread-document")
    person.command("Bitbucket show")
    person.sees("12-pull-request")
    person.keys("G")
    person.sees("13-threads")
    person.command("Bitbucket status")
    person.sees("14-status")
    person.command("checkhealth bitbucket")
    person.has("OK The credentials come from the environment", "the health report")
    person.command("tabclose")

    person.command("edit till/receipt.py")
    person.sees("15-old-side")
    person.command("Bitbucket toggle")
    person.sees("16-hidden")
    person.command("Bitbucket toggle")
    person.sees("17-shown-again")

    person.command("edit tests/test_cart.py")
    person.has("Good. One more", "the tests have their comment")
    person.world.control("comments", file="tests/test_cart.py", author="cleo", on="cart = Cart()",
                         text="An empty cart first?")
    person.command("Bitbucket refresh")
    person.sees("18-new-comment")
    person.world.control("faults", fault="offline")
    person.command("Bitbucket refresh")
    person.sees("19-offline")
    person.world.control("faults/clear")
    person.command("Bitbucket refresh")
    person.sees("20-back")
    person.world.git("switch", "-q", "main")
    person.command("edit")
    person.sees("21-other-branch")
    person.command("Bitbucket")
    person.sees("22-no-pull-request")
    person.world.git("switch", "-q", "discounts")
    person.command("edit till/discounts.py")
    person.has("Nothing keeps this", "back on the branch, the comments are back")
    writing(person)
    person.command("qall!")
    _, ended = person.terminal.until(lambda _: person.terminal.is_over())
    person._count(ended, "Neovim ends at once")
    pid = int(person.world.pid_file.read_text())
    _, gone = person.terminal.until(lambda _: not pathlib.Path(f"/proc/{pid}").exists())
    person._count(gone, "and leaves no server behind")


def writing(person):
    """An answer with all that a draft completes, left among the drafts, then sent while somebody types on."""
    person.command("set completeopt=menuone,noinsert")
    person.command("only")
    person.command("15")
    person.command("Bitbucket reply")
    person.command("echo")
    person.sees("23-draft")
    for typed, shown, name in [
        ("iYou are right, @cl", "cleo, on this pull request", "24-mention"),
        (" :smi", "😏 smirk", "25-emoji"),
        (" See #", "#4 Discounts", "26-pull-request-number"),
        ("\n```", "the commented lines, to be changed", "27-suggestion-block"),
    ]:
        for line in typed.splitlines(keepends=True):
            person.keys(*([line.strip("\n")] if line.strip("\n") else []), *(["Enter"] if line.endswith("\n") else []))
        person.keys("C-x", "C-o")
        person.has(shown, f"the menu of {name}")
        person.sees(name)
        person.keys("C-y")
    person.keys("Escape")
    person.sees("28-written")
    person.command("1")
    person.keys("f@", "K")
    person.has("Mentions Cleo Lindqvist", "who is mentioned is said by name")
    person.keys("h")
    person.command("lua vim.lsp.inlay_hint.enable(true, { bufnr = 0 })")
    person.has("} Cleo Lindqvist", "and beside the mention, where hints are shown")
    person.command("hide")
    person.command("Bitbucket drafts")
    person.sees("29-drafts")
    person.command("b discounts.py")
    person.command("Bitbucket reply")
    person.has("You are right", "the draft is opened again")
    person.world.control("faults", fault="hold", method="POST")
    person.command("Bitbucket send")
    person.has("Being sent", "the draft is being sent")
    person.keys("i")
    person.has("-- INSERT --", "somebody is in insert mode when a draft is sent")
    person.world.control("faults/clear")
    person.sees("30-sent")


def main():
    (nvim,) = sys.argv[1:]
    command = [nvim, "--clean", "-u", HERE / "init.lua", "till/cart.py"]
    with world.World("neovim-screens") as sample:
        with terminal.Terminal(command, sample.environment, sample.clone) as screen:
            person = Journey(screen, sample)
            journey(person)
        print(f"{person.passed} passed, {person.failed} failed")
    return 1 if person.failed else 0


if __name__ == "__main__":
    sys.exit(main())
