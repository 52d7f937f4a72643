"""Requests per second and response times of the shop beside a bare Flask page; `bin/bench` calls it.

Both stand under the same gunicorn settings, are asked with the same headers by the same client and take turns of half
a second, so that what else the machine does hits both. A ratio is the median over these pairs of turns.
"""

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import COMPRESSED, IDENTITY, Browsers, Journey, Wrong
from benchmarks.journeys import (
    LIST,
    AddToCart,
    Bare,
    Goods,
    GuestOrder,
    Pages,
    SubscriberOrder,
    _choice,
    list_addresses,
    search_addresses,
    suggestion_addresses,
    tariff_addresses,
)
from benchmarks.shop import (
    ROOT,
    Server,
    database,
    free_ports,
    keep,
    machine,
    run,
    settings,
    synthetic,
    table,
    verdict,
)

SIZES = (150, 5_000, 50_000)
SLICE = 0.5
# Enough to keep two workers busy, few enough for response times to mean something.
CONNECTIONS = 4
_COOKIE_BYTES = {"session": 120, "cart": 32}
# The bars: shares of the bare page's rate, and what a large catalogue may cost.
LEAST_SHARE = {"list": 0.40, "list-first": 0.12, "device": 0.40, "search": 0.12}
LEAST_OF_SMALL = 0.8
MOST_SEARCH_P95 = 3.0


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    journey: object
    # Every request is the first of its kind (benchmarks/unkept.py).
    unkept: bool = False
    encoding: str = IDENTITY
    # Turns of each browser before the measurement.
    warm_up: int = 12
    # Cookies that its browsers send; those of the bare page send as many bytes.
    cookies: tuple[str, ...] = ()


ROWS = (
    Row("list", "list page", lambda goods: Pages([LIST])),
    Row("list-first", "list page, nothing kept", lambda goods: Pages(list_addresses()), unkept=True),
    Row("list-new", "list page, new address", lambda goods: Pages(list_addresses())),
    Row("device", "device page", lambda goods: Pages(_device_paths(goods, 24)), warm_up=80, cookies=("session",)),
    Row("device-first", "device page, nothing kept", lambda goods: Pages(_device_paths(goods, 2000)), unkept=True),
    Row(
        "tariff",
        "device page with a tariff chosen",
        lambda goods: Pages(tariff_addresses(goods.devices[:24], goods.tariffs)),
        warm_up=80,
        cookies=("session",),
    ),
    Row("search", "search, new words", lambda goods: Pages(search_addresses(goods))),
    Row("suggest", "suggestions, new words", lambda goods: Pages(suggestion_addresses(goods))),
    Row("add", "add to cart", lambda goods: AddToCart(goods.plenty()), cookies=("session", "cart")),
    Row(
        "order", "whole guest order", lambda goods: GuestOrder(goods.plenty()), warm_up=3, cookies=("session", "cart")
    ),
    Row(
        "known-order",
        "whole logged-in order",
        lambda goods: SubscriberOrder(goods.phones(), goods.tariffs),
        warm_up=3,
        cookies=("session", "cart"),
    ),
    Row("list-br", "list page, compressed", lambda goods: Pages([LIST]), encoding=COMPRESSED),
    Row("first-br", "list page, nothing kept, compressed", lambda goods: Pages(list_addresses()), True, COMPRESSED),
)


def _device_paths(goods: Goods, count: int) -> list[str]:
    return [f"/pajisja/{slug}" for slug in goods.devices[:count]]


@dataclass
class Figures:
    """One row: rates per second, times in milliseconds, `share` and `cpu_share` of the bare page (1.0 is equal)."""

    row: Row
    per_second: float
    turns: float
    p50: float
    p95: float
    bare: float
    share: float
    cpu_share: float
    cpu: float
    size: int
    requests: int


def cores_of(workers: int) -> tuple[set[int] | None, set[int] | None]:
    """Cores for the server and for the client, so that neither takes time from the other; None on a single core."""
    there = sorted(os.sched_getaffinity(0))
    if len(there) < 2:
        return None, None
    return set(there[:-1][:workers]), {there[-1]}


def measure(row: Row, goods: Goods, shop: Server, bare: Server, browsers: Browsers, options) -> Figures:
    """Shop and bare page by turns; raises Wrong when either answers otherwise than expected."""
    journey: Journey = row.journey(goods)
    browsers.open(row.name, journey, shop.port, row.encoding, options.keep_alive)
    # Also the warm-up: what may be kept is kept after it, in both workers.
    seen = browsers.run(row.name, min(SLICE * 2, options.seconds), turns=row.warm_up)
    size = round(seen.received / len(seen.took))
    per_turn = max(1, round(len(seen.took) / seen.turns))
    constant = Bare(size, per_turn, cookies={name: "x" * _COOKIE_BYTES[name] for name in row.cookies})
    if row.name == "add":
        constant.body = _choice(goods.offers[0], "x" * 91)
    browsers.open("bare", constant, bare.port, row.encoding, options.keep_alive)
    browsers.run("bare", min(SLICE, options.seconds), turns=4)

    pairs, took, bare_took, requests, turns, seconds = [], [], [], 0, 0, 0.0
    cpu, bare_cpu = -shop.cpu(), -bare.cpu()
    for at in range(max(1, round(options.seconds / SLICE))):
        length = min(SLICE, options.seconds)
        first = browsers.run("bare", length) if at % 2 else None
        here = browsers.run(row.name, length)
        there = first or browsers.run("bare", length)
        pairs.append((here.per_second, there.per_second))
        took += here.took
        bare_took += there.took
        requests += len(here.took)
        turns += here.turns
        seconds += here.seconds
    cpu, bare_cpu = (cpu + shop.cpu()) / requests, (bare_cpu + bare.cpu()) / len(bare_took)
    return Figures(
        row=row,
        per_second=statistics.median(here for here, _ in pairs),
        turns=turns / seconds,
        p50=_percentile(took, 50),
        p95=_percentile(took, 95),
        bare=statistics.median(there for _, there in pairs),
        share=statistics.median(here / there for here, there in pairs),
        cpu_share=bare_cpu / cpu if cpu else 0.0,
        cpu=cpu * 1000,
        size=size,
        requests=requests,
    )


def _percentile(took: list[float], share: int) -> float:
    return sorted(took)[min(len(took) - 1, len(took) * share // 100)] * 1000


def measure_all(options, url: str | None) -> dict[int, list[Figures]]:
    """The rows for each size of catalogue."""
    wanted = [row for row in ROWS if not options.only or row.name in options.only]
    workers = int(os.environ.get("WEB_CONCURRENCY", "").strip() or 2)
    server_cores, client_cores = cores_of(workers)
    found: dict[int, list[Figures]] = {}
    # Forked while this process is small.
    with Browsers(CONNECTIONS, client_cores) as browsers:
        for size in options.devices:
            _say(f"{size:,} devices: importing…")
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dyqani-bench-")))
                own = settings(
                    DYQANI_INSTANCE=folder,
                    DATABASE_URL=stack.enter_context(database(url, folder)),
                    WEB_CONCURRENCY=workers,
                )
                goods = Goods.read(synthetic(own, size, folder))
                if any(row.name == "known-order" for row in wanted):
                    run(own, sys.executable, "-m", "benchmarks.subscribers")
                ports = free_ports(3)

                def serve(port, application="", own=own, folder=folder, stack=stack):
                    server = Server(own, port, folder / f"{port}.log", application, server_cores)
                    return stack.enter_context(server)

                bare = serve(ports[0], "benchmarks.bare:create_app()")
                shop = serve(ports[1])
                unkept = serve(ports[2], "benchmarks.unkept:create_app()") if any(r.unkept for r in wanted) else shop
                found[size] = []
                server, doing = shop, "warm-up"
                try:
                    for server in {shop.port: shop, unkept.port: unkept}.values():
                        # Each worker reads its catalogue at its first request.
                        browsers.open("warm-up", Pages([LIST]), server.port)
                        browsers.run("warm-up", turns=15)
                    for row in wanted:
                        server, doing = unkept if row.unkept else shop, row.title
                        figures = measure(row, goods, server, bare, browsers, options)
                        found[size].append(figures)
                        _say(f"  {row.title}: {figures.per_second:.0f}/s, {figures.share:.0%} of the bare page")
                except Wrong as wrong:
                    raise Wrong(f"{doing}: {wrong}\n{server.log_end()}") from None
    return found


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def report(found: dict[int, list[Figures]], options) -> str:
    """Everything as Markdown."""
    workers = int(os.environ.get("WEB_CONCURRENCY", "").strip() or 2)
    cores, _ = cores_of(workers)
    where = "server and client share one core" if cores is None else (
        f"server on {len(cores)} core{'s' if len(cores) > 1 else ''}, client on one of its own"
    )  # fmt: skip
    lines = [
        f"{machine()}; {workers} workers, {CONNECTIONS} connections, {where}; "
        f"{'connections kept' if options.keep_alive else 'a connection per request'}; "
        f"{'PostgreSQL' if options.database == 'postgres' else 'SQLite'}; {options.seconds:g} s a row and side.",
    ]
    for size, rows in found.items():
        lines += ["", f"### {size:,} devices", "", _size_table(rows)]
    sizes = sorted(found)
    if len(sizes) > 1:
        lines += ["", f"### Against {sizes[0]:,} devices", "", _growth_table(found, sizes)]
    lines += ["", "### Bars", "", _bars_table(found, sizes)]
    return "\n".join(lines)


def _size_table(rows: list[Figures]) -> str:
    return table(
        ["", "requests/s", "p50 ms", "p95 ms", "bare/s", "of bare", "CPU ms", "of bare by CPU", "bytes"],
        [
            [
                _title(one),
                f"{one.per_second:.0f}",
                f"{one.p50:.1f}",
                f"{one.p95:.1f}",
                f"{one.bare:.0f}",
                f"{one.share:.0%}",
                f"{one.cpu:.2f}",
                f"{one.cpu_share:.0%}",
                f"{one.size:,}",
            ]
            for one in rows
        ],
    )


def _title(one: Figures) -> str:
    if one.row.name.endswith("order"):
        return f"{one.row.title} ({one.turns:.1f} orders/s)"
    return one.row.title


def _by_name(rows: list[Figures]) -> dict[str, Figures]:
    return {one.row.name: one for one in rows}


def _growth_table(found, sizes) -> str:
    small = _by_name(found[sizes[0]])
    rows = []
    for name, base in small.items():
        cells = [base.row.title]
        for size in sizes[1:]:
            one = _by_name(found[size])[name]
            cells += [f"{one.share / base.share:.2f}", f"{one.p95 / base.p95:.2f}"]
        rows.append(cells)
    header = [""]
    for size in sizes[1:]:
        header += [f"rate, {size:,}", f"p95, {size:,}"]
    return table(header, rows)


def _bars_table(found, sizes) -> str:
    """What must hold. Two sizes are compared by their shares of the bare page, which took its turns beside both."""
    rows = []

    def bar(what, value, holds, limit):
        rows.append([what, limit, value, verdict(holds)])

    for size in sizes:
        here = _by_name(found[size])
        for name, least in LEAST_SHARE.items():
            if name in here:
                one = here[name]
                what = f"{one.row.title}, {size:,} devices: share of the bare page"
                bar(what, f"{one.share:.0%}", one.share >= least, f"≥ {least:.0%}")
    if len(sizes) > 1:
        small, large = _by_name(found[sizes[0]]), _by_name(found[sizes[-1]])
        for name in LEAST_SHARE:
            if name in small:
                ratio = large[name].share / small[name].share
                what = f"{small[name].row.title}: rate with {sizes[-1]:,} devices against {sizes[0]:,}"
                bar(what, f"{ratio:.2f}", ratio >= LEAST_OF_SMALL, f"≥ {LEAST_OF_SMALL}")
        if "search" in small:
            ratio = large["search"].p95 / small["search"].p95
            what = f"search: p95 with {sizes[-1]:,} devices against {sizes[0]:,}"
            bar(what, f"{ratio:.2f}", ratio <= MOST_SEARCH_P95, f"≤ {MOST_SEARCH_P95:g}")
    return table(["", "limit", "measured", ""], rows)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    numbers = {"type": lambda text: [int(part) for part in text.split(",")], "metavar": "N,N"}
    parser.add_argument("--devices", default=list(SIZES), help="sizes of catalogue (150,5000,50000)", **numbers)
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds for each row and side (6)")
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"rows to measure, of {names}")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--keep-alive", action="store_true", help="keep connections, as some proxies do")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/performance.md")
    options = parser.parse_args(arguments)
    unknown = set(options.only or ()) - {row.name for row in ROWS}
    if unknown or options.seconds <= 0 or min(options.devices) < 50:
        parser.error(f"unknown rows: {', '.join(unknown)}" if unknown else "at least 50 devices, more than 0 seconds")
    url = None
    if options.database == "postgres":
        url = os.environ.get("DATABASE_URL", "")
        if "psycopg" not in url:
            parser.error("postgres needs a server: bin/bench --database postgres starts one")
    try:
        found = measure_all(options, url)
    except Wrong as wrong:
        raise SystemExit(f"Not measured: {wrong}") from None
    text = report(found, options)
    sys.stdout.write(text + "\n")
    if options.write:
        keep("speed" if options.database == "sqlite" else "speed-postgres", text)
    return 0


if __name__ == "__main__":
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    raise SystemExit(main(sys.argv[1:]))
