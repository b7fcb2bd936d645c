"""Counting checks, and saying each on a line."""

passed = failed = 0
where = ""


def group(name):
    """What the checks from here on are about."""
    global where
    where = name
    print(f"# {name}", flush=True)


def check(name, ok, instead=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print("ok" if ok else "FAIL", f"{where}: {name}" if ok else f"{where}: {name}: {instead}", flush=True)


def same(name, seen, expected):
    check(name, seen == expected, f"{seen!r}, not {expected!r}")


def works(name, done):
    check(name, done.ok, done)
