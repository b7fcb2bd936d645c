"""From signing in to pushing, with one account and with three, and with other helpers in git's configuration.

What `credential install` takes out of the chain must be out of it; what is put there behind it gets tokens from an old git
only, and then the helper says so; and `credential uninstall` takes back exactly what was put in.
"""

from checks import check, group, same, works

# What stands in ~/.gitconfig before.
CONFIGS = {
    "alone": None,
    # Without an end of line, and with one of Windows.
    "store before": "[user]\r\n\tname = Ana\r\n[credential]\r\n\thelper = store",
    "store after": "[push]\n\tdefault = simple\n",
    "cache after": "# nothing but a comment \\",
}
WARNING = "This git is older than 2.46 and hands the token on to the credential helper"


class Journey:
    """One git, one set of helpers."""

    def __init__(self, world, chain):
        self.world, self.chain = world, chain
        # The helper that is put behind ours.
        self.other = chain.removesuffix(" after") if chain.endswith(" after") else None
        # What others have put into ~/.git-credentials. What is there for Bitbucket is wrong: it must not be asked for.
        self.foreign = "https://somebody:something@example.org\n"
        if chain == "store before":
            self.foreign += f"http://somebody:old@{world.host.replace(':', '%3a')}\n"

    def go(self):
        world = self.world
        group(f"git {world.git_used.name}, {self.chain}")
        before = CONFIGS[self.chain]
        if before is not None:
            world.global_config.write_bytes(before.encode())
        world.stored.touch(mode=0o600)
        self.forget_others()
        works("ana signs in by OAuth", world.sign_in_ana())
        self.one_account()
        works("ben signs in by his API token", world.sign_in_ben())
        works("the orchard's access token is added", world.sign_in_orchard())
        works("it is installed again", world.lsp("credential", "install"))
        self.several_accounts()
        self.behind_ours_in_a_repository()
        self.taken_back(before)
        same("Bitbucket was asked for nothing that it does not have", world.violations(), [])

    def one_account(self):
        world = self.world
        works("it is installed", world.lsp("credential", "install"))
        if self.other:
            world.must(world.git("config", "--global", "credential.helper", self.other))
        self.plan = self.cloned("a private repository is cloned", "garden/plan", "plan")
        self.told_to_others()
        world.commit(self.plan, "peas")
        works("a commit is pushed", world.git("push", cwd=self.plan))
        same("Bitbucket saw ana push", world.pushed_last("garden/plan"), "ana")
        world.control("push", repository="garden/plan", branch="main", message="Leeks", files={"leeks.txt": "leeks\n"})
        works("what others pushed is fetched", world.git("pull", "--quiet", cwd=self.plan))
        check("it is there", (self.plan / "leeks.txt").exists(), "it is not")
        self.told_to_others()
        if self.other:
            self.forget_others()

    def several_accounts(self):
        world = self.world
        self.cloned("by the user name in the URL, ben's repository is cloned", "bakery/bread", "bread", user="ben")
        self.cloned("by the path, the orchard's is cloned with the token that opens it", "orchard/apples", "apples")
        self.cloned("by default, ana's is cloned", "garden/plan", "plan-2")
        refused = world.git("clone", "--quiet", world.url("bakery/bread"), "bread-2")
        check("by default, ben's is not found", not refused.ok and "not found" in refused.err, refused)
        works("ben is chosen for the workspace bakery", world.lsp("auth", "use", "ben", "--workspace", "bakery"))
        self.cloned("by its workspace, ben's repository is cloned", "bakery/bread", "bread-2")
        works("ben is made the default", world.lsp("auth", "use", "ben"))
        refused = world.git("fetch", cwd=self.plan)
        check("by default, ana's is not found then", not refused.ok and "not found" in refused.err, refused)
        works("ana is made the default", world.lsp("auth", "use", "ana"))

        self.board = self.cloned("a repository of both is cloned", "commons/board", "board")
        self.pushed_by("ana", "by default")
        world.must(world.git("config", "bitbucket.account", "ben", cwd=self.board))
        self.pushed_by("ben", "by git's setting bitbucket.account")
        self.pushed_by("ben", "from another folder", "--git-dir", self.board / ".git", cwd=world.home)
        self.pushed_by("ana", "by the command line's setting", "-c", "bitbucket.account=ana")
        world.must(world.git("remote", "set-url", "origin", world.url("commons/board", "ana"), cwd=self.board))
        self.pushed_by("ana", "by the user name in the URL, in spite of the setting")
        world.must(world.git("remote", "set-url", "origin", world.url("commons/board"), cwd=self.board))
        world.must(world.git("config", "--unset", "bitbucket.account", cwd=self.board))
        works("ben's board is cloned with a setting for it",
              world.git("clone", "--quiet", "-c", "bitbucket.account=ben", world.url("commons/board"), "board-2"))
        self.nothing_is_stored("with git's other helpers in front of ours")

    def behind_ours_in_a_repository(self):
        """A helper in the repository's own configuration comes after the user's."""
        world = self.world
        if not self.other:
            done = world.git("-c", "credential.helper=store", "fetch", cwd=self.board)
            works("it fetches with another helper on the command line", done)
            self.warned(done, "store")
            self.forget_others()
            return
        world.must(world.git("config", "credential.helper", self.other, cwd=self.board))
        before = (self.board / ".git" / "config").read_bytes()
        done = world.git("fetch", cwd=self.board)
        works("it fetches with another helper in the repository", done)
        self.warned(done, self.other)
        self.told_to_others()
        self.forget_others()
        works("it is installed in the repository", world.lsp("credential", "install", "--local", cwd=self.board))
        self.pushed_by("ana", "with both in the repository")
        self.nothing_is_stored("with the other helper of the repository in front of ours")
        works("it is taken out of the repository", world.lsp("credential", "uninstall", "--local", cwd=self.board))
        same("the repository's configuration is as before", (self.board / ".git" / "config").read_bytes(), before)
        world.must(world.git("config", "--unset", "credential.helper", cwd=self.board))

    def taken_back(self, before):
        world = self.world
        works("it is uninstalled", world.lsp("credential", "uninstall"))
        expected = None if before is None else before.encode()
        if self.other:
            # What git's own `config` wrote behind it meanwhile stays.
            expected += (b"\n\n" if expected.endswith(b"\\") else b"") + f"[credential]\n\thelper = {self.other}\n".encode()
        after = world.global_config.read_bytes() if world.global_config.exists() else None
        same("the user's configuration is as before", after, expected)
        done = world.git("-c", "credential.helper=", "fetch", cwd=self.plan)
        check("git has no credential any more", not done.ok and "could not read Username" in done.err, done)

    # What is looked at more than once.

    def cloned(self, what, repository, folder, user=None):
        world = self.world
        done = world.git("clone", "--quiet", world.url(repository, user), folder)
        works(what, done)
        if self.other and folder == "plan":
            self.warned(done, self.other)
        else:
            same(f"nothing is said about it ({folder})", done.sentences, [])
        return world.home / folder

    def pushed_by(self, user, why, *options, cwd=None):
        world = self.world
        world.commit(self.board, f"{user} {why}")
        works(f"it pushes {why}", world.git(*map(str, options), "push", cwd=cwd or self.board))
        same(f"Bitbucket saw {user} push {why}", world.pushed_last("commons/board"), user)

    def warned(self, done, other):
        if self.world.git_used.knows_authtype:
            same("nothing is said about the other helper", done.sentences, [])
            return
        said = " ".join(done.sentences)
        check("a warning names the other helper", WARNING in said and f" {other} " in said, said or "nothing is said")

    def told_to_others(self):
        """Whether a helper that comes after ours got a token: of an old git it does, so the warning is true."""
        world = self.world
        expected = self.other is not None and not world.git_used.knows_authtype
        if self.other == "cache":
            same("the cache has a token" if expected else "the cache has none", world.cached(), expected)
        else:
            what = "the other helper stored a token" if expected else "nothing is stored"
            same(what, world.stored.read_text(encoding="utf-8") != self.foreign, expected)

    def nothing_is_stored(self, when):
        world = self.world
        same(f"nothing is stored {when}", world.stored.read_text(encoding="utf-8") == self.foreign, True)
        same(f"nothing is cached {when}", world.cached(), False)

    def forget_others(self):
        """So that what is stored from here on is seen, and the search afterwards has nothing old to find."""
        self.world.stored.write_text(self.foreign, encoding="utf-8")
        self.world.git("credential-cache", "exit")
