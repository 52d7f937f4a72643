"""The whole shop as processes on loopback (web, worker, bank, mail sink) and a real Chromium before it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.crowd import Crowd

ROOT = Path(__file__).resolve().parent.parent
expect.set_options(timeout=10_000)
GLOB = re.compile(r"(\*\*?)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Shop:
    url: str
    environment: dict
    crowd: Crowd

    def run(self, script: str, *words: str) -> str:
        """Run a script on the shop's database, in a process of its own; what it says."""
        return self.crowd.alone("script", script, words)

    def mails(self, to: str) -> list[dict]:
        """The mails that reached `to`, newest first."""
        found = requests.get(f"{self.url}/demo/inbox.json?kind=mail", timeout=10).json()
        return [mail for mail in found if to in str(mail["to"])]

    def smses(self, to: str) -> list[dict]:
        """The SMS that reached the number `to`, newest first."""
        address = f"{self.url}/demo/inbox.json"
        return requests.get(address, params={"kind": "sms", "to": to}, timeout=10).json()

    def wait_for_mail(self, to: str, count: int = 1, seconds: int = 20) -> list[dict]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            mails = self.mails(to)
            if len(mails) >= count:
                return mails
            time.sleep(0.3)
        raise AssertionError(f"{to} has {len(self.mails(to))} mails, not {count}")


# What is sold is there for every journey of a run: the last piece is the matter of tests that set it themselves.
ENOUGH = (
    "from models.base import db; from models.catalogue import Variant\n"
    "with db.connection_context():\n"
    "    Variant.update(stock=Variant.stock + 500).where(Variant.stock > 0).execute()\n"
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A demo shop of its own, with the bank asked soon for payments without an answer."""
    instance = tmp_path_factory.mktemp("shop")
    port, bank_port, smtp_port, sms_port, bss_port = (free_port() for _ in range(5))
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DYQANI_", "BANK_", "SMTP_", "SMS_", "USSD_", "BSS_"))
        },
        "DYQANI_ENV": "demo",
        "DYQANI_INSTANCE": str(instance),
        "DATABASE_URL": f"sqlite:///{instance}/shop.db",
        "PORT": str(port),
        "DYQANI_BASE_URL": f"http://127.0.0.1:{port}",
        "BANK_SANDBOX_PORT": str(bank_port),
        "BANK_SANDBOX_STORE": str(instance / "bank.sqlite3"),
        "SMTP_PORT": str(smtp_port),
        "SMS_SANDBOX_PORT": str(sms_port),
        "BSS_SANDBOX_PORT": str(bss_port),
        "BSS_WEBHOOK_URL": f"http://127.0.0.1:{bss_port}/events",
        # The demo's number is added by many of the tests.
        "DYQANI_CODE_SENDS": "50",
        "DYQANI_CODE_SENDS_PER_PROFILE": "50",
        "DYQANI_WORKER_EVERY": "1",
        "BANK_QUERY_AFTER": "4",
        "BANK_QUERY_EVERY": "2",
        "PYTHONPATH": str(ROOT),
        # Tests log in a hundred times: their passwords need not cost what a thief should pay.
        "DYQANI_PASSWORD_MEMORY": "1024",
    }
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    for words in (["db", "migrate"], ["demo", "load"]):
        subprocess.run([*flask, *words], cwd=ROOT, env=environment, check=True, capture_output=True)
    log = (instance / "log").open("wb")
    commands = (
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"],
        [*flask, "worker"],
        [sys.executable, "-m", "gateways.sandbox.bank"],
        [sys.executable, "-m", "gateways.sandbox.mail"],
        [sys.executable, "-m", "gateways.sandbox.sms"],
        [sys.executable, "-m", "gateways.sandbox.bss"],
    )
    processes = [
        subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        for words in commands
    ]
    url = environment["DYQANI_BASE_URL"]
    try:
        for address in (f"{url}/health", *(f"http://127.0.0.1:{other}/health" for other in (bank_port, sms_port))):
            wait_for(address, processes, instance / "log")
        crowd = Crowd(environment["DATABASE_URL"], instance, **environment)
        opened = Shop(url, environment, crowd)
        opened.run(ENOUGH)
        yield opened
        crowd.end()
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            process.wait(20)
        log.close()


def wait_for(address, processes, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            break
        try:
            if requests.get(address, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def base_url(shop):
    return shop.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("CHROMIUM", "/usr/bin/chromium"),
        "args": ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
    }


DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


# What Chromium says when a second press leaves the page while it still fades into the next one.
ABORTED = "Transition was aborted"


@pytest.fixture
def visitor(browser, shop):
    """Opens pages as somebody: size, scheme, language of the browser, with or without JavaScript."""
    opened = []

    def open_as(*, size=DESKTOP, scheme="light", javascript=True, worker=False):
        context = browser.new_context(
            base_url=shop.url,
            locale="sq-MK",
            timezone_id="Europe/Skopje",
            color_scheme=scheme,
            java_script_enabled=javascript,
            reduced_motion="reduce",
            # It would answer before the network does, which the tests listen to.
            service_workers="allow" if worker else "block",
            **size,
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.trouble = []
        page.foreign = []
        page.on("pageerror", lambda error: str(error).startswith(ABORTED) or page.trouble.append(str(error)))
        page.on(
            "request",
            lambda request: (
                page.foreign.append(request.url)
                if not request.url.startswith(("data:", "http://127.0.0.1:"))
                else None
            ),
        )
        opened.append((context, page))
        return page

    yield open_as
    for context, page in opened:
        trouble, foreign = page.trouble, page.foreign
        context.close()
        assert trouble == []
        assert foreign == []


def arrive(page, address, timeout=15_000):
    """Wait until the page is at `address` and has loaded.

    `address` is a regular expression, or a glob of the whole address: ** is anything, * anything but /.
    `timeout` is in milliseconds. A navigation that another one replaces, as after a second press, is no failure here
    as it is to Playwright's own wait for an address.
    """
    if isinstance(address, str):
        wild = {"**": ".*", "*": "[^/]*"}
        address = re.compile("^" + "".join(wild.get(part) or re.escape(part) for part in GLOB.split(address)) + "$")
    expect(page).to_have_url(address, timeout=timeout)
    page.wait_for_load_state()


def wait_until(page, holds):
    """Until an expression holds in the page; Playwright's own way needs what the content policy forbids."""
    page.evaluate(f"async () => {{ while (!({holds})) await new Promise(then => setTimeout(then, 50)) }}")


def violations(page) -> list[str]:
    """What axe finds wrong on the page as it is now (WCAG 2.2 AA and best practices)."""
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]


def check_accessible(page):
    """axe finds nothing wrong on the page as it is now."""
    assert violations(page) == [], page.url
