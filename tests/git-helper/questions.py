"""Questions put to the helper by hand, and exactly what it answers: to most of them nothing."""

import base64

from checks import check, group, same, works
from world import BEN

BEARER = ["capability[]", "authtype", "credential", "ephemeral", "password_expiry_utc"]


def go(world):
    group("questions by hand")
    port = world.host.rpartition(":")[2]
    nobody(world)
    works("ben signs in by his API token", world.sign_in_ben())
    answered(world)
    other_hosts(world, port)
    damaged(world, port)
    other_operations(world)
    works("ana signs in by OAuth", world.sign_in_ana())
    works("ana is made the default", world.lsp("auth", "use", "ana"))
    oauth(world)
    same("Bitbucket was asked for nothing that it does not have", world.violations(), [])


def nobody(world):
    done = world.ask("get", world.question())
    same("with nobody signed in: nothing, and no failure", (done.code, done.out), (0, ""))
    check("with nobody signed in: a sentence says so", len(done.sentences) == 1 and "Nobody is signed in" in done.err, done.err)
    done = world.ask("get", "protocol=https\nhost=example.org\n\n")
    same("with nobody signed in: not a word about another host", (done.code, done.out, done.err), (0, "", ""))


def answered(world):
    token = BEN["token"]
    pair = base64.b64encode(f"x-bitbucket-api-token-auth:{token}".encode()).decode()
    old = f"username=x-bitbucket-api-token-auth\npassword={token}\n"
    new = f"capability[]=authtype\nauthtype=Basic\ncredential={pair}\nephemeral=1\n"
    own = f"protocol=http\nhost={world.host}\n"
    capable = "capability[]=authtype\n"
    expected = {
        "git 2.39": (f"{own}\n", old),
        "a git that ends its question by closing the pipe": (own, old),
        "git 2.46": (f"{capable}capability[]=state\n{own}wwwauth[]=Basic realm=\"Bitbucket.org HTTP\"\n\n", new),
        "capabilities that are taken back": (f"{capable}capability[]=\n{own}\n", old),
        "capabilities without authtype": (f"capability[]=state\n{own}\n", old),
        "a question with a path": (f"{own}path=bakery/bread.git\n\n", old),
        "a question with ben's name": (f"{own}username=ben\n\n", old),
        "a question with a name for any token": (f"{own}username=x-token-auth\n\n", old),
        "what a newer git may say": (f"{capable}{own}oauth_refresh_token=x\nsomething-new=1\nlist[]=a\nlist[]=b\n\n", new),
        "the host last": (f"protocol=http\npath=a/b\nhost={world.host}\n\n", old),
        "something behind the end of the question": (f"{own}\nhost=example.org\n\0\r", old),
    }
    for name, (question, text) in expected.items():
        done = world.ask("get", question)
        same(name, (done.code, done.out, done.err), (0, text, ""))


def other_hosts(world, port):
    hosts = [
        "", "127.0.0.1", f"127.0.0.1:{int(port) + 1}", "127.0.0.1:8443", f"127.0.0.1.evil:{port}", f"evil127.0.0.1:{port}",
        f"{world.host}.evil", f"{world.host}:80", f"0{world.host}", f" {world.host}", f"{world.host} ", f"{world.host}/",
        f"ben@{world.host}", f"127.0.0.1:0{port}", f"127.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"2130706433:{port}",
        "bitbucket.org", "bitbucket.org:443", "bitbucket.org:8443", "bitbucket.org.evil", "evilbitbucket.org", "bitbucket.com",
        "github.com",
    ]
    for host in hosts:
        silent(world, f"the host {host!r}", f"protocol=http\nhost={host}\n\n")
    for protocol in ("https", "HTTP", "ssh", "cert", "ftp", "", " http", "http "):
        silent(world, f"the protocol {protocol!r}", f"protocol={protocol}\nhost={world.host}\n\n")
    silent(world, "no host", "protocol=http\n\n")
    silent(world, "no protocol", f"host={world.host}\n\n")
    silent(world, "nothing at all", "")
    silent(world, "an empty line first", f"\nprotocol=http\nhost={world.host}\n\n")
    silent(world, "a URL in the place of its parts", f"url={world.web}\n\n")
    silent(world, "names in capital letters", f"PROTOCOL=http\nHOST={world.host}\n\n")


def damaged(world, port):
    """Refused whole, with a sentence on standard error that repeats nothing of it."""
    own = f"protocol=http\nhost={world.host}\n"
    questions = {
        "CR before LF": own.replace("\n", "\r\n") + "\r\n",
        "CR in a value (CVE-2024-50338)": f"protocol=http\nhost={world.host}\rhost=example.org\n\n",
        "NUL": f"protocol=http\nhost={world.host}\0.evil\n\n",
        "no end of the last line": own.removesuffix("\n"),
        "two hosts": f"{own}host=example.org\n\n",
        "two hosts, the right one last": f"host=example.org\n{own}\n",
        "two protocols": f"protocol=https\n{own}\n",
        "two user names": f"{own}username=ana\nusername=ben\n\n",
        "a line without a name": f"{own}=x\n\n",
        "a line without a value": f"{own}quit\n\n",
        "bytes that are no text": own.encode() + b"path=\xff\xfe\n\n",
        "more than 64 KiB": f"{own}path={'x' * 70_000}\n\n",
    }
    for name, question in questions.items():
        done = world.ask("get", question)
        same(f"{name}: nothing, and no failure", (done.code, done.out), (0, ""))
        check(f"{name}: one sentence", len(done.sentences) == 1 and done.err.count("\n") == 1, done.err)
        check(f"{name}: it repeats nothing", port not in done.err and "example" not in done.err, done.err)


def other_operations(world):
    own = world.question("username=x-bitbucket-api-token-auth", "password=something", capable=False)
    for operation in ("store", "erase", "capability", "approve", "list", "GET", "get ", ""):
        done = world.ask(operation, own)
        same(f"{operation!r}: nothing, and no failure", (done.code, done.out, done.err), (0, "", ""))
    done = world.ask("store", "no question at all\0\r")
    same("'store' of what is no question: nothing, and no failure", (done.code, done.out, done.err), (0, "", ""))
    done = world.lsp("credential", quiet=True)
    check("without an operation it says how it is used", done.code == 2 and done.out == "" and "Usage" in done.err, done)


def oauth(world):
    for capable, expected in ((True, BEARER), (False, ["username", "password", "password_expiry_utc"])):
        lines = [line.split("=", 1) for line in world.must(world.ask("get", world.question(capable=capable))).splitlines()]
        names = "knows authtype" if capable else "does not know authtype"
        same(f"an OAuth token for a git that {names}: the lines", [name for name, _ in lines], expected)
        values = dict(lines)
        same("its form", (values.get("authtype"), values.get("username")), ("Bearer", None) if capable else (None, "x-token-auth"))
        check("it is the long token", len(values.get("credential") or values.get("password")) > 2000, "it is a short one")


def silent(world, name, question):
    done = world.ask("get", question)
    same(f"{name}: not a word", (done.code, done.out, done.err), (0, "", ""))
