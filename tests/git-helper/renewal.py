"""Tokens that run out, are refused, or can never be renewed, in the middle of what git does."""

import statistics
import time

from checks import check, group, same, works
from world import CONSUMER

AT_ONCE = 8
ASKED = 20


def go(world):
    group(f"git {world.git_used.name}, tokens")
    works("ana signs in by OAuth", world.sign_in_ana())
    works("it is installed", world.lsp("credential", "install"))
    works("a private repository is cloned", world.git("clone", "--quiet", world.url("garden/plan"), "plan"))
    clone = world.home / "plan"
    expired(world, clone)
    refused(world, clone)
    at_once(world, clone)
    slow(world)
    dead(world, clone)
    same("Bitbucket was asked for nothing that it does not have", world.violations(), [])


def expired(world, clone):
    run_out(world)
    world.commit(clone, "peas")
    with Refreshes(world) as refreshes:
        done = world.git("push", cwd=clone, quiet=True)
    works("git pushes with a token that has run out: it is renewed in the middle", done)
    same("Bitbucket saw ana push", world.pushed_last("garden/plan"), "ana")
    same("it was renewed once", refreshes.count, 1)
    same("nothing is said about it", done.sentences, [])


def refused(world, clone):
    """The helper does not know that it has run out: git must say so, by `erase`."""
    token = answer(world)
    world.control("oauth/expire")
    with Refreshes(world) as refreshes:
        first = world.git("fetch", cwd=clone)
        second = world.git("fetch", cwd=clone)
    check("a refused token fails git once at most, and without a prompt",
          first.ok or "Authentication failed" in first.err or "could not read Username" in first.err, first)
    works("the next git command has another token", second)
    same("it was renewed once", refreshes.count, 1)
    check("it is another one", answer(world) != token, "it is the same")

    # By hand: another token that is refused is none of ours, and nothing is renewed for it.
    token = answer(world)
    with Refreshes(world) as refreshes:
        for lines in (["username=x-token-auth", "password=another"], ["authtype=Bearer", "credential=another"], []):
            done = world.ask("erase", world.question(*lines))
            same(f"erase says nothing ({', '.join(lines) or 'no token'})", (done.code, done.out, done.err), (0, "", ""))
        same("the token is still the same", answer(world) == token, True)
    same("nothing was renewed for another one's refusal", refreshes.count, 0)


def at_once(world, clone):
    run_out(world)
    with Refreshes(world) as refreshes:
        running = [world.start("git", "-C", str(clone), "ls-remote", "origin") for _ in range(AT_ONCE)]
        done = [world.end(process) for process in running]
    check(f"{AT_ONCE} git commands at once with a token that has run out all work", all(one.ok for one in done),
          next((str(one) for one in done if not one.ok), ""))
    same("it was renewed once for all of them", refreshes.count, 1)
    run_out(world)
    with Refreshes(world) as refreshes:
        running = [world.start("git", "-C", str(clone), "fetch", "--quiet") for _ in range(AT_ONCE)]
        done = [world.end(process) for process in running]
    check(f"{AT_ONCE} times git fetch at once with a token that has run out all work", all(one.ok for one in done),
          next((str(one) for one in done if not one.ok), ""))
    same("it was renewed once for all fetches", refreshes.count, 1)
    same("no spent refresh token was used", {name: world.oauth()[name] for name in ("grace_uses", "late_reuses", "refusals")},
         {"grace_uses": 0, "late_reuses": 0, "refusals": 0})


def slow(world):
    """Bitbucket does not answer in time: git must not wait for ever."""
    run_out(world)
    world.control("faults", fault="hold", route="/site/oauth2/access_token")
    began = time.monotonic()
    done = world.ask("get", world.question())
    took = time.monotonic() - began
    world.control("faults/clear")
    check("a renewal that is not answered is given up after ten seconds", 8 < took < 20, f"{took:.1f} s")
    silent_but_for_one_sentence("git gets no answer then", done)
    check("afterwards there is a token again", "=" in world.ask("get", world.question()).out, "there is none")


def dead(world, clone):
    run_out(world)
    world.control("oauth/revoke", user="ana")
    pages_before = world.pages_opened()
    list_before = (world.folder / "state" / "accounts.json").read_bytes()
    done = world.ask("get", world.question())
    silent_but_for_one_sentence("a login that is dead", done)
    check("the sentence says what to do", "Generate Token" in done.err or "auth login" in done.err, done.err)
    done = world.git("fetch", cwd=clone, quiet=True)
    check("git fails without a prompt", done.code == 128 and "terminal prompts disabled" in done.err, done)
    same("the helper said one sentence", len(done.sentences), 1)
    same("no page was opened in a browser, but for signing in", (pages_before, world.pages_opened()), (1, 1))
    same("the list of accounts is as it was", (world.folder / "state" / "accounts.json").read_bytes(), list_before)
    check("the stored login is still there", len(list(world.secrets.glob("*user*"))) > 0, "it is gone")
    works("ana signs in again", world.sign_in_ana())
    works("git works again", world.git("fetch", cwd=clone))


def times(world):
    """How long git waits for the helper. Measured, not judged: other work may be going on."""
    group(f"git {world.git_used.name}, times")
    works("ana signs in by OAuth", world.sign_in_ana())
    known = [took(world) for _ in range(ASKED)]
    run_out(world)
    renewed = took(world)
    print(f"times: {ASKED} answers with a token at hand: median {statistics.median(known):.0f} ms, longest {max(known):.0f} ms"
          f" (the aim is 50); one with a renewal: {renewed:.0f} ms (the limit is 10000)", flush=True)
    check("with a renewal it answers within ten seconds", renewed < 10_000, f"{renewed:.0f} ms")


# The means.


def run_out(world):
    """Ana's token is over, and the helper can know it: it is exchanged for one of a second's life, and that passes."""
    scheme, token = answer(world)
    world.must(world.ask("erase", world.question(f"authtype={scheme}", f"credential={token}", capable=True)))
    world.control("oauth/consumer", key=CONSUMER["key"], expires_in=1)
    over = expiry(world)
    world.control("oauth/consumer", key=CONSUMER["key"], expires_in=7200)
    if over > time.time() + 10:
        raise SystemExit("what git erases is not exchanged before it is used again")
    while time.time() < over:
        time.sleep(0.02)
    world.control("oauth/expire")


def fields(world):
    done = world.ask("get", world.question(capable=True))
    return dict(line.split("=", 1) for line in world.must(done).splitlines())


def answer(world):
    all_fields = fields(world)
    return all_fields["authtype"], all_fields["credential"]


def expiry(world):
    return int(fields(world)["password_expiry_utc"])


def took(world):
    """Milliseconds of the whole process."""
    began = time.perf_counter()
    done = world.ask("get", world.question())
    passed = (time.perf_counter() - began) * 1000
    check("it answers", done.ok and "=" in done.out, done)
    return passed


def silent_but_for_one_sentence(name, done):
    same(f"{name}: nothing on standard output, and no failure", (done.code, done.out), (0, ""))
    check(f"{name}: one sentence on standard error", done.err.count("\n") == 1 and len(done.sentences) == 1, done.err)


class Refreshes:
    """How many refresh tokens were exchanged within."""

    def __init__(self, world):
        self.world = world

    def __enter__(self):
        self.before = self.world.oauth()["refreshes"]
        return self

    def __exit__(self, *_):
        self.count = self.world.oauth()["refreshes"] - self.before
