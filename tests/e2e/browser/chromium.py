"""Chromium without a screen, and one page of it: what it asked for, what it shows, and a hand on its buttons.

It is driven over its DevTools protocol, by a pair of pipes: nothing is installed besides, and no port is open.
Names are looked up nowhere; 127.0.0.1 is all that it can reach.
"""

import base64
import collections
import fcntl
import json
import os
import select
import shutil
import signal
import time
import urllib.parse

PATIENCE = 30
SIZE = (900, 600)

FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
    "--log-level=3",
    "--no-default-browser-check",
    "--no-first-run",
    # Its own passwords are no business of the keyring that is tested.
    "--password-store=basic",
)


class Trouble(Exception):
    """What was expected of the browser and did not come."""


class Chromium:
    """Use it in a `with` statement. `folder` gets the profile; it ends with the one who drives it, whatever happens.

    `not_here` is an address, host and port, at which nothing answers, as on another computer.
    """

    def __init__(self, folder, not_here=None):
        self.folder = folder
        # The first that fits counts. Nobody listens on port 1.
        rules = [f"MAP {not_here} 127.0.0.1:1"] if not_here else []
        self.rules = ", ".join([*rules, "MAP 127.0.0.1 127.0.0.1", "MAP * ~NOTFOUND"])
        self.number = 0
        self.answers = {}
        self.rest = b""
        self.page = None

    def __enter__(self):
        program = shutil.which("chromium")
        if not program:
            raise Trouble("there is no chromium on the path")
        command = [program, *FLAGS, f"--host-resolver-rules={self.rules}", f"--user-data-dir={self.folder}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
        # Chromium reads from its descriptor 3 and writes to 4.
        theirs_in, self.write_to = os.pipe()
        self.read_from, theirs_out = os.pipe()
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        try:
            actions = [(os.POSIX_SPAWN_DUP2, end, 3 + index) for index, end in enumerate(theirs)]
            actions += [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
            actions += [(os.POSIX_SPAWN_DUP2, 2, 1)]
            self.process = os.posix_spawn(program, command, environment, file_actions=actions)
        finally:
            for end in (theirs_in, theirs_out, *theirs):
                os.close(end)
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (Trouble, OSError):
            pass  # Its pipe is closed now, so it ends anyway.
        os.close(self.write_to)
        os.close(self.read_from)
        ended = os.pidfd_open(self.process)
        if not select.select([ended], [], [], PATIENCE)[0]:
            os.kill(self.process, signal.SIGKILL)
        os.close(ended)
        os.waitpid(self.process, 0)

    def open_page(self):
        """An empty page, of the size that pictures have."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.page = Page(self, session)
        self.page.prepare()
        return self.page

    def call(self, method, session=None, **parameters):
        """What a method answers."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        self.until(lambda: number in self.answers, f"answer to {method}")
        answered = self.answers.pop(number)
        if "error" in answered:
            raise Trouble(f"{method}: {answered['error'].get('message')}")
        return answered["result"]

    def until(self, condition, what, patience=PATIENCE, every=None):
        """Reads what the browser says until a condition holds."""
        end = time.monotonic() + patience
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise Trouble(f"no {what} within {patience} s")
            for message in self._messages(min(left, every or left)):
                if "id" in message:
                    self.answers[message["id"]] = message
                elif self.page and message.get("sessionId") == self.page.session:
                    self.page.hear(message)

    def _messages(self, within):
        if not select.select([self.read_from], [], [], within)[0]:
            return []
        piece = os.read(self.read_from, 1 << 20)
        if not piece:
            raise Trouble("the browser has ended")
        *whole, self.rest = (self.rest + piece).split(b"\0")
        return [json.loads(message) for message in whole]


class Page:
    """One page. `requests` are all that it ever sent, in their order, each with what it was answered."""

    def __init__(self, browser, session):
        self.browser = browser
        self.session = session
        self.requests = []
        self.complaints = []
        self.frame = {"url": "about:blank"}
        self.loads = 0
        self._under_way = collections.defaultdict(dict)

    def prepare(self):
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        width, height = SIZE
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def hear(self, message):
        """Keeps what an event says."""
        said = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                # Where a request is sent on, the next one has its id.
                if "redirectResponse" in said:
                    self._under_way[said["requestId"]] |= answer(said["redirectResponse"])
                request = {"url": said["request"]["url"], "type": said.get("type"), "page": said["documentURL"]}
                self.requests.append(request)
                self._under_way[said["requestId"]] = request
            case "Network.responseReceived":
                self._under_way[said["requestId"]] |= answer(said["response"])
            case "Network.loadingFailed":
                self._under_way[said["requestId"]]["failed"] = said["errorText"]
            case "Page.frameNavigated" if "parentId" not in said["frame"]:
                self.frame = said["frame"]
                self.loads = 0
            case "Page.loadEventFired":
                self.loads += 1
            case "Log.entryAdded":
                self.complaints.append(said["entry"]["text"])

    def go(self, url):
        # The simulated Bitbucket has no icon and says so loudly; icons of other sites would be seen in `requests`.
        parts = urllib.parse.urlsplit(url)
        self.call("Network.setBlockedURLs", urls=[f"{parts.scheme}://{parts.netloc}/favicon.ico"])
        said = self.call("Page.navigate", url=url)
        if problem := said.get("errorText"):
            raise Trouble(f"{problem} for {url}")
        self.until_loaded(lambda frame: frame["url"] != "about:blank", f"page at {url}")

    def until_loaded(self, fits, what):
        """Waits until a document whose frame fits is loaded."""

        def loaded():
            if unreachable := self.frame.get("unreachableUrl"):
                raise Trouble(f"no {what}: {unreachable} cannot be reached")
            return self.loads and fits(self.frame)

        try:
            self.browser.until(loaded, what)
        except Trouble as trouble:
            raise Trouble(f"{trouble}; the browser is at {self.frame['url']}") from None

    def click(self, selector):
        """Presses the mouse in the middle of an element."""
        find = f"(one => (one?.scrollIntoView({{block: 'center', behavior: 'instant'}}), one?.getBoundingClientRect()))" \
               f"(document.querySelector({json.dumps(selector)}))"
        middle = self.value(f"(box => box && [box.x + box.width / 2, box.y + box.height / 2])({find})")
        if not middle:
            raise Trouble(f"nothing is {selector} on {self.value('document.title')!r}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=middle[0], y=middle[1], button="left", clickCount=1)

    def type(self, selector, text):
        """Writes a text into a field, in place of what is there."""
        self.click(selector)
        self.value("document.activeElement.select()")
        self.call("Input.insertText", text=text)

    def press(self, selector, what):
        """Presses a button and waits for the document that comes of it, maybe at the same address."""
        before = self.frame.get("loaderId")
        self.click(selector)
        self.until_loaded(lambda frame: frame.get("loaderId") != before, what)

    def press_to_nowhere(self, selector, back):
        """Presses a button that leads to where nothing answers; the address that the browser ends at."""
        self.click(selector)
        ended = lambda: self.frame.get("unreachableUrl", "").startswith(back)
        self.browser.until(ended, f"end at {back} after {selector}")
        return self.frame["unreachableUrl"]

    def value(self, expression):
        """What an expression in the page is."""
        said = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in said:
            raise Trouble(f"{expression}: {said['exceptionDetails']}")
        return said["result"].get("value")

    def seen(self):
        """What somebody sees of the page, and what it is made of."""
        history = self.call("Page.getNavigationHistory")["entries"]
        return {
            "url": self.value("location.href"),
            "title": self.value("document.title"),
            "text": self.value("document.body.innerText"),
            "scripts": self.value("document.scripts.length"),
            "handlers": self.value(
                "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
                ".filter(name => name.startsWith('on')).length"
            ),
            "referrer": self.value("document.referrer"),
            "history": [entry["url"] for entry in history],
            "complaints": list(self.complaints),
        }

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"]
        path.write_bytes(base64.b64decode(data))


def answer(response):
    return {"status": response["status"], "headers": {name.lower(): text for name, text in response["headers"].items()}}
