"""Lighthouse's marks for a phone, of home, list, device, cart and first checkout step; `bin/bench lighthouse`.

The shop runs as in production, with the demo's catalogue, and so says to search engines what a real one says.
"""

import argparse
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Browser
from benchmarks.shop import Server, flask, free_ports, keep, machine, settings, table, verdict

# Its folder, as bin/bench fetched it.
LIGHTHOUSE = Path(os.environ.get("LIGHTHOUSE", ""))
RUNS = 3
# On a busy machine the browser may start too slowly for Lighthouse.
TRIES = 3
CATEGORIES = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
FIGURES = {
    "first-contentful-paint": "FCP ms",
    "largest-contentful-paint": "LCP ms",
    "total-blocking-time": "TBT ms",
    "cumulative-layout-shift": "CLS",
    "total-byte-weight": "KB",
}
DEVICE = "samsung-galaxy-s25"
PAGES = {
    "home": "/",
    "list": "/celulare",
    "device": f"/pajisja/{DEVICE}",
    "cart": "/shporta",
    "first checkout step": "/porosia/te-dhenat",
}
ONES_OWN = {"cart", "first checkout step"}


@dataclass
class Marks:
    """What one page got: `marks` of a hundred, `figures` as Lighthouse measured, `missed` audits below their best."""

    marks: dict[str, float]
    figures: dict[str, float]
    missed: dict[str, str]


def production(folder: str, port: int) -> dict[str, str]:
    """Settings of a shop in production that is reached at its own port."""
    made_up = ("SECRET_KEY", "BANK_STORE_KEY", "BANK_API_PASSWORD", "SMS_PASSWORD", "SMS_SECRET")
    return settings(
        DYQANI_INSTANCE=folder,
        DATABASE_URL=f"sqlite:///{folder}/shop.db",
        PORT=port,
        DYQANI_ENV="production",
        DYQANI_BASE_URL=f"https://127.0.0.1:{port}",
        BANK_GATE_URL="https://bank.example",
        BANK_API_URL="https://bank.example",
        **{name: secrets.token_urlsafe(32) for name in made_up},
    )


def with_cart(port: int) -> Browser:
    """A guest with the device in the cart."""
    guest = Browser(port)
    page = guest.get(PAGES["device"])
    form = page.body.decode()
    chosen = {
        name: re.search(rf'name="{name}" value="([^"]*)"[^>]* checked', form)[1] for name in ("ngjyra", "memoria")
    }
    guest.post("/shporta", {**page.hidden(), "slug": DEVICE, **chosen})
    return guest


def look(entry: Path, address: str, cookies: str, own: bool, folder: Path) -> Marks:
    """One run of Lighthouse in a new browser."""
    out = folder / "report.json"
    command = [
        "node", entry, address, "--quiet", "--output=json", f"--output-path={out}",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
        "--extra-headers", json.dumps({"Cookie": cookies} if own else {}),
    ]  # fmt: skip
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=os.environ)
        if not done.returncode:
            return read(json.loads(out.read_text("utf-8")))
    raise SystemExit(f"Lighthouse fails at {address}:\n{done.stderr[-2000:]}")


def read(report: dict) -> Marks:
    """The marks in Lighthouse's own report."""
    if report.get("runtimeError", {}).get("code"):
        raise SystemExit(f"{report['requestedUrl']}: {report['runtimeError']['message']}")
    if report["finalDisplayedUrl"].split("?")[0] != report["requestedUrl"].split("?")[0]:
        raise SystemExit(f"{report['requestedUrl']} leads to {report['finalDisplayedUrl']}")
    audits = report["audits"]
    figures = {name: audits[name]["numericValue"] for name in FIGURES}
    figures["total-byte-weight"] /= 1024
    counted = {
        one["id"]
        for name in CATEGORIES
        for one in report["categories"][name]["auditRefs"]
        if one["weight"] and name != "performance"
    }
    return Marks(
        {name: round(report["categories"][name]["score"] * 100) for name in CATEGORIES},
        figures,
        # One that does not apply has no score.
        {
            name: audits[name]["title"]
            for name in sorted(counted)
            if audits[name]["score"] is not None and audits[name]["score"] < 1
        },
    )


def median(found: list[Marks]) -> Marks:
    """Of several runs, the median of each mark and figure, and all that was missed in any."""
    return Marks(
        {name: statistics.median(one.marks[name] for one in found) for name in CATEGORIES},
        {name: statistics.median(one.figures[name] for one in found) for name in FIGURES},
        {name: title for one in found for name, title in one.missed.items()},
    )


def measure(wanted: list[str], runs: int) -> dict[str, Marks]:
    entry = LIGHTHOUSE / "cli" / "index.js"
    [port] = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="dyqani-bench-") as folder:
        demo = settings(DYQANI_INSTANCE=folder, DATABASE_URL=f"sqlite:///{folder}/shop.db", PORT=port)
        flask(demo, "db", "migrate")
        flask(demo, "demo", "load")
        with Server(production(folder, port), port, Path(folder) / "web.log"):
            guest = with_cart(port)
            cookies = "; ".join(f"{name}={value}" for name, value in guest.cookies.items())
            found = {}
            for title in wanted:
                address, own = f"http://127.0.0.1:{port}{PAGES[title]}", title in ONES_OWN
                # The server has seen each page before, the browsers have not.
                for _ in range(8):
                    (guest if own else Browser(port)).get(PAGES[title])
                found[title] = median([look(entry, address, cookies, own, Path(folder)) for _ in range(runs)])
                sys.stderr.write(f"{title}: {found[title].marks}\n")
            return found


def report(found: dict[str, Marks], runs: int, version: str) -> str:
    lines = [
        f"{machine()}; Lighthouse {version}, mobile, its own simulated line and processor; the median of {runs} "
        "runs.",
        "",
        table(
            ["", *CATEGORIES, *FIGURES.values()],
            [
                [
                    title,
                    *(f"{one.marks[name]:.0f}" for name in CATEGORIES),
                    *(
                        f"{one.figures[name]:.3f}" if name.endswith("shift") else f"{one.figures[name]:.0f}"
                        for name in FIGURES
                    ),
                ]
                for title, one in found.items()
            ],
        ),
        "",
        table(
            ["", "limit", "lowest", ""],
            [
                [f"{name}, all pages", f"≥ {least}", f"{lowest:.0f}", verdict(lowest >= least)]
                for name, least in CATEGORIES.items()
                for lowest in [min(one.marks[name] for one in found.values())]
            ],
        ),
    ]
    missed = [f"- {title}: {name} ({said})" for title, one in found.items() for name, said in one.missed.items()]
    return "\n".join([*lines, *(["", "What is missing:", "", *missed] if missed else [])])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench lighthouse", description=__doc__)
    parser.add_argument("--only", default=",".join(PAGES), help="some of the pages, with commas")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs for each page")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/performance.md")
    options = parser.parse_args(arguments)
    wanted = [name.strip() for name in options.only.split(",")]
    if not set(PAGES).issuperset(wanted):
        parser.error(f"--only takes some of {', '.join(PAGES)}")
    version = json.loads((LIGHTHOUSE / "package.json").read_text("utf-8"))["version"]
    text = report(measure(wanted, options.runs), options.runs, version)
    sys.stdout.write(text + "\n")
    if options.write:
        keep("lighthouse", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
