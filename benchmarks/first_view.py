"""What a phone loads and when it shows it, over a slow line, in a real Chromium; `bin/bench first-view`.

The processor is four times slower, the line has 1.6 Mbit/s and 150 ms. A second view follows in the same browser:
what it asks the network for is listed. Then things on the page are pressed, each time until the next picture on the
screen, as browsers measure it for "interaction to next paint".
"""

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.client import Browser
from benchmarks.shop import Server, flask, free_ports, keep, machine, settings, table, verdict

RUNS = 5
SLOWER = 4
BITS_PER_SECOND = 1_600_000
LATENCY_MS = 150
DEVICE = "/pajisja/samsung-galaxy-s25"
PAGES = (("list page", "/celulare"), ("device page", DEVICE), ("home page", "/"))
# Page → what is pressed on it, one after the other, and where.
# Opening the sheet lays out all filters of a phone at once: it is told, the bar is for what is chosen.
OPENING = "the filters are opened"
PRESSES = {
    "list page": (
        (OPENING, "#rezultatet [popovertarget=filtrat]"),
        ("a filter is chosen", "label:has(#f-marka-Samsung)"),
        ("another filter is chosen", "label:has(#f-marka-Xiaomi)"),
    ),
    "device page": (
        ("a colour is chosen", ".pick.colour label:has(:not(:checked, :disabled)) >> nth=0"),
        ("Besnik 24 is chosen", "label:has(#lloji-besnik24)"),
        ("a tariff is chosen", ".tariffs label:has(:not(:checked)) >> nth=-1"),
    ),
}
MOST_BYTES = 90 * 1024
MOST_SHIFT = 0.02
MOST_PAINT_MS = 900
MOST_PRESS_MS = 100
MOST_OWN_SCRIPT = 5 * 1024

# Collected from the first moment on; a page of ours has no inline script of its own.
_OBSERVE = """
window.seen = {shift: 0, paint: 0, what: ''};
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    window.seen.paint = entry.startTime;
    window.seen.what = entry.element ? entry.element.outerHTML.slice(0, 40) : '';
  }
}).observe({type: 'largest-contentful-paint', buffered: true});
window.pressed = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries())
    if (entry.interactionId) window.pressed = Math.max(window.pressed, entry.duration);
}).observe({type: 'event', durationThreshold: 16, buffered: true});
"""


@dataclass
class View:
    """One view: `requests` maps an address to its kind, its bytes over the wire and whether a cache had it."""

    paint: float = 0.0
    shift: float = 0.0
    what: str = ""
    requests: dict[str, list] = field(default_factory=dict)

    def from_network(self) -> dict[str, list]:
        return {url: one for url, one in self.requests.items() if not one[2]}

    @property
    def bytes(self) -> int:
        return sum(size for _, size, _ in self.from_network().values())


def _watch(session) -> View:
    view, by_id = View(), {}

    def asked(event):
        if event["request"]["url"].startswith("http"):
            by_id[event["requestId"]] = view.requests[event["request"]["url"]] = [event.get("type", ""), 0, False]

    def answered(event):
        answer = event["response"]
        # What the service worker answers it has kept; pages it passes on.
        is_kept = answer.get("fromServiceWorker") and event.get("type") != "Document"
        if (one := by_id.get(event["requestId"])) and (is_kept or answer.get("fromDiskCache")):
            one[2] = True

    def from_memory(event):
        if one := by_id.get(event["requestId"]):
            one[2] = True

    def finished(event):
        if one := by_id.get(event["requestId"]):
            one[1] = int(event["encodedDataLength"])

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.responseReceived", answered)
    session.on("Network.requestServedFromCache", from_memory)
    session.on("Network.loadingFinished", finished)
    return view


def look(playwright, base: str, path: str) -> tuple[View, View]:
    """The first and the second view of a page, each in a tab of its own of one new browser.

    Of RUNS times the one with the median largest paint.
    """
    runs = [_look_once(playwright, base, path) for _ in range(RUNS)]
    return sorted(runs, key=lambda views: views[0].paint)[RUNS // 2]


@contextmanager
def _phone(playwright):
    """A new browser: each call opens a tab of it, slow as SLOWER, BITS_PER_SECOND and LATENCY_MS say."""
    with ExitStack() as stack:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=["--no-sandbox"]
        )
        stack.callback(chromium.close)
        context = chromium.new_context(**playwright.devices["Pixel 7"], locale="sq-MK", timezone_id="Europe/Skopje")

        def tab():
            page = context.new_page()
            page.add_init_script(_OBSERVE)
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send(
                "Network.emulateNetworkConditions",
                {
                    "offline": False,
                    "latency": LATENCY_MS,
                    "downloadThroughput": BITS_PER_SECOND / 8,
                    "uploadThroughput": BITS_PER_SECOND / 8,
                },
            )
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            return page, session

        yield tab


def _look_once(playwright, base: str, path: str) -> tuple[View, View]:
    views = []
    with _phone(playwright) as tab:
        for _ in range(2):
            page, session = tab()
            view = _watch(session)
            page.goto(base + path, wait_until="load")
            # Late pictures and shifts count as well.
            page.wait_for_timeout(2000)
            seen = page.evaluate("window.seen")
            view.paint, view.shift, view.what = seen["paint"], seen["shift"], seen["what"]
            views.append(view)
            page.close()
    return tuple(views)


def press(playwright, base: str, path: str, presses) -> dict[str, float]:
    """Milliseconds from each press to the next paint, the median of RUNS new browsers; below 16 they are 0."""
    took = {what: [] for what, _ in presses}
    for _ in range(RUNS):
        with _phone(playwright) as tab:
            page, _ = tab()
            page.goto(base + path, wait_until="load")
            page.wait_for_timeout(1500)
            for what, where in presses:
                page.evaluate("window.pressed = 0")
                page.locator(where).tap()
                # The answer comes over the slow line, and what it changes is painted as well.
                page.wait_for_timeout(1500)
                took[what].append(page.evaluate("window.pressed"))
    return {what: statistics.median(times) for what, times in took.items()}


def measure() -> tuple[dict[str, tuple[View, View]], dict[str, dict[str, float]]]:
    """First and second view of each of PAGES, of the demo's catalogue, and what each of PRESSES took."""
    from playwright.sync_api import sync_playwright

    [port] = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="dyqani-bench-") as folder, sync_playwright() as playwright:
        own = settings(DYQANI_INSTANCE=folder, DATABASE_URL=f"sqlite:///{folder}/shop.db", PORT=port)
        flask(own, "db", "migrate")
        flask(own, "demo", "load")
        with Server(own, port, Path(folder) / "web.log"):
            browser, base = Browser(port), f"http://127.0.0.1:{port}"
            # The server has seen the pages before, the browsers have not.
            for _, path in PAGES:
                for _ in range(12):
                    browser.get(path)
            views = {title: look(playwright, base, path) for title, path in PAGES}
            paths = dict(PAGES)
            return views, {
                title: press(playwright, base, paths[title], presses) for title, presses in PRESSES.items()
            }


def report(found: dict[str, tuple[View, View]], pressed: dict[str, dict[str, float]]) -> str:
    lines = [
        f"{machine()}; Chromium as a phone (Pixel 7), processor {SLOWER}× slower, "
        f"{BITS_PER_SECOND / 1e6:g} Mbit/s, {LATENCY_MS} ms; the median of {RUNS} new browsers.",
        "",
        table(
            ["", "KB over the wire", "requests", "CLS", "LCP ms", "second view: from the network", "largest is"],
            [
                [
                    title,
                    f"{first.bytes / 1024:.1f}",
                    str(len(first.from_network())),
                    f"{first.shift:.3f}",
                    f"{first.paint:.0f}",
                    ", ".join(map(_short, second.from_network())),
                    f"`{first.what}`",
                ]
                for title, (first, second) in found.items()
            ],
        ),
        "",
        "What the first view of the list page loads, in bytes over the wire with headers:",
        "",
    ]
    first, _ = found["list page"]
    lines += [
        table(
            ["", "kind", "bytes"],
            [
                [_short(url), kind, f"{size:,}"]
                for url, (kind, size, cached) in sorted(first.requests.items(), key=lambda pair: -pair[1][1])
                if not cached
            ],
        ),
        "",
        "What follows a press, in milliseconds until the next paint (in steps of 8; less than 16 is told as 0):",
        "",
        table(
            ["", "ms"],
            [[f"{title}: {what}", f"{took:.0f}"] for title, one in pressed.items() for what, took in one.items()],
        ),
        "",
        _bars(found, pressed),
    ]
    return "\n".join(lines)


def _short(url: str) -> str:
    path = urlsplit(url).path
    return path if len(path) <= 48 else path[:45] + "…"


def _bars(found, pressed) -> str:
    first, second = found["list page"]
    scripts = {url: one[1] for url, one in first.requests.items() if one[0] == "Script"}
    own = {url: size for url, size in scripts.items() if "/htmx" not in url}
    again = [url for url in second.from_network() if urlsplit(url).path != "/celulare"]
    rows = [
        ("list page: KB over the wire", MOST_BYTES / 1024, first.bytes / 1024),
        *(
            row
            for title, took in pressed.items()
            for row in (
                (f"{title}: CLS", MOST_SHIFT, found[title][0].shift),
                (f"{title}: largest paint, ms", MOST_PAINT_MS, found[title][0].paint),
                (
                    f"{title}: choice to next paint, ms",
                    MOST_PRESS_MS,
                    max(ms for what, ms in took.items() if what != OPENING),
                ),
            )
        ),
        ("list page: KB of scripts beside htmx", MOST_OWN_SCRIPT / 1024, sum(own.values()) / 1024),
        ("list page, second view: asked for beside the page", 0, len(again)),
    ]
    return table(
        ["", "limit", "measured", ""],
        [
            [what, f"≤ {limit:g}", f"{value:.3g}" if value < 100 else f"{value:.0f}", verdict(value <= limit)]
            for what, limit, value in rows
        ],
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench first-view", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/performance.md")
    options = parser.parse_args(arguments)
    text = report(*measure())
    sys.stdout.write(text + "\n")
    if options.write:
        keep("first-view", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
