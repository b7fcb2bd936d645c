#!/usr/bin/env python3
"""visit.py URL FOLDER: somebody looks at Bitbucket's question whether a program may sign in, and decides.

E2E_BROWSER says what they do: `grant` and `deny` press that button, `close` (if it is not set) closes the browser, and
`wait` leaves the question on the screen until FOLDER/decision says one of these. `elsewhere` presses Grant on another
computer, where nothing listens: FOLDER/address gets the address that the browser ends at.
`type` fills in a page that asks for a token: E2E_TYPED is a JSON list of pairs, an e-mail address and a token, which are
tried one after the other.

FOLDER gets asked.png (the question), ended.png (the page that the sign-in ends at) and, at last, report.json:
`asked` and `ended` are what the pages say, `tried` what the page said to each pair, `requests` all that the browser asked
for, `problem` what went wrong.
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import urllib.parse

import chromium

# Nobody waits for a decision any longer than this.
LONGEST_WAIT = 300


def decision(browser, folder):
    """What is to be done."""
    word = os.environ.get("E2E_BROWSER", "close")
    if word != "wait":
        return word
    path = folder / "decision"
    browser.until(path.exists, f"decision in {path}", patience=LONGEST_WAIT, every=0.05)
    return path.read_text(encoding="utf-8").strip()


def visit(url, folder, report):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    back = query.get("redirect_uri", "")
    not_here = urllib.parse.urlsplit(back).netloc if os.environ.get("E2E_BROWSER") == "elsewhere" else None
    home = os.environ.get("E2E_HOME")
    with tempfile.TemporaryDirectory(dir=home, prefix="chromium-") as profile, chromium.Chromium(profile, not_here) as browser:
        page = browser.open_page()
        report["requests"] = page.requests
        page.go(url)
        report["asked"] = page.seen()
        page.picture(folder / "asked.png")
        (folder / "asked").touch()
        report["decision"] = word = decision(browser, folder)
        if word == "close":
            return
        page.complaints.clear()
        if word == "type":
            return fill_in(page, folder, report)
        if word == "elsewhere":
            new = folder / "address.new"
            new.touch(mode=0o600)
            new.write_text(page.press_to_nowhere("#grant", back), encoding="utf-8")
            new.rename(folder / "address")
            return
        page.click(f"#{word}")
        page.until_loaded(lambda frame: same_origin(frame["url"], back), f"page of {back} after {word!r}")
        report["ended"] = page.seen()
        page.picture(folder / "ended.png")


def fill_in(page, folder, report):
    report["tried"] = []
    for number, (email, token) in enumerate(json.loads(os.environ["E2E_TYPED"]), 1):
        page.type("#email", email)
        page.type("#token", token)
        page.press("button", f"answer to token {number}")
        report["tried"].append(page.seen())
        page.picture(folder / f"tried-{number}.png")
    report["ended"] = page.seen()
    page.picture(folder / "ended.png")


def same_origin(one, other):
    one, other = urllib.parse.urlsplit(one), urllib.parse.urlsplit(other)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    report = {"url": url, "asked": None, "decision": None, "ended": None, "tried": [], "requests": [], "problem": None}
    try:
        visit(url, folder, report)
    except chromium.Trouble as trouble:
        report["problem"] = str(trouble)
    # Where a code or a state was is what counts; what it was is in no report.
    text = re.sub(r'([?&#](?:code|state)=)[^&#"\s]*', r"\1...", json.dumps(report, indent=1, ensure_ascii=False))
    # In one step: who sees the report sees all of it.
    new = folder / "report.new"
    new.write_text(text, encoding="utf-8")
    new.rename(folder / "report.json")


main()
