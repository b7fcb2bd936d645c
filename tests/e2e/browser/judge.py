"""What must hold for the page that a sign-in ends at, whatever it says."""

import re
import urllib.parse

LEAK = re.compile(r"[?&#](code|state)=")


def faults(report):
    """What is wrong with where a visit ended, as sentences; see visit.py for the report."""
    if report["problem"]:
        return [report["problem"]]
    ended = report["ended"]
    if not ended:
        return [f"the visit ended with {report['decision']!r} and at no page"]
    found = []

    def expect(holds, otherwise):
        if not holds:
            found.append(otherwise)

    parts = urllib.parse.urlsplit(ended["url"])
    site = f"{parts.scheme}://{parts.netloc}/"
    of_site = [request for request in report["requests"] if request["url"].startswith(site)]
    pages = [request for request in of_site if request["type"] == "Document"]
    expect(not LEAK.search(ended["url"]), f"code or state is in the address: {ended['url']}")
    kept = [url for url in ended["history"] if url.startswith(site) and LEAK.search(url)]
    expect(not kept, f"code or state is in the history: {kept}")
    expect(not LEAK.search(ended["referrer"]), f"code or state is in the referrer: {ended['referrer']}")
    hosts = {urllib.parse.urlsplit(request["url"]).hostname for request in report["requests"]}
    expect(hosts == {"127.0.0.1"}, f"the browser asked more than this computer: {hosts}")
    more = [request["url"] for request in report["requests"] if request["page"] == ended["url"] and request not in pages]
    expect(not more, f"the page loads {more}")
    expect(ended["scripts"] == 0, f"the page has {ended['scripts']} scripts")
    expect(ended["handlers"] == 0, f"the page has {ended['handlers']} event handlers")
    expect(not ended["complaints"], f"the browser complains: {ended['complaints']}")
    expect([page.get("status") for page in pages] == [302, 200], f"answers of {site}: {pages}")
    for page in pages:
        for name, value in (("cache-control", "no-store"), ("referrer-policy", "no-referrer")):
            seen = page.get("headers", {}).get(name)
            expect(seen == value, f"{urllib.parse.urlsplit(page['url']).path} has {name} {seen}")
    return found


def form_faults(report, tokens):
    """What is wrong with a page that tokens were typed into, and with where it ended; see visit.py for the report."""
    if report["problem"]:
        return [report["problem"]]
    found = []

    def expect(holds, otherwise):
        if not holds:
            found.append(otherwise)

    hosts = {urllib.parse.urlsplit(request["url"]).hostname for request in report["requests"]}
    expect(hosts == {"127.0.0.1"}, f"the browser asked more than this computer: {hosts}")
    more = [request["url"] for request in report["requests"] if request["type"] != "Document"]
    expect(not more, f"the page loads {more}")
    expect(not any(token in str(report) for token in tokens), "a token is in an address or on a page")
    for page in [report["asked"], *report["tried"]]:
        expect(page["scripts"] == 0, f"the page has {page['scripts']} scripts")
        expect(page["handlers"] == 0, f"the page has {page['handlers']} event handlers")
        expect(not page["complaints"], f"the browser complains: {page['complaints']}")
    for request in report["requests"]:
        seen = request.get("headers", {})
        expect(seen.get("cache-control") == "no-store", f"the page has cache-control {seen.get('cache-control')}")
        policy = seen.get("referrer-policy")
        expect(policy in ("no-referrer", "same-origin"), f"the page has referrer-policy {policy}")
    return found
