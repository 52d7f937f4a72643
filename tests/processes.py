"""The real processes of a shop, on loopback, for the tests that start, kill and restart them."""

import json
import os
import re
import select
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urljoin

import html5lib
import requests

from gateways.sandbox.bank import TEST_CARDS
from gateways.sandbox.mail import read_inbox
from gateways.sandbox.sms import read_sms
from tests import starter

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(found, within: float = 15.0, every: float = 0.03, what: str = ""):
    """What `found()` returns once that is true; fails after `within` seconds."""
    end = time.monotonic() + within
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within} s: {what or found}"
        time.sleep(every)


class Process:
    """One process of the shop in a session of its own; `kill` takes its children along."""

    def __init__(self, folder: Path, name: str, *command: str, **environment: str):
        self.name, self.log = name, folder / f"{name}.log"
        foreign = ("BANK_", "SMTP_", "SMS_", "USSD_", "BSS_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        with self.log.open("ab") as log:
            self.process = starter.start(
                ["-m", *command],
                env={**kept, "DYQANI_ENV": "test", "DYQANI_INSTANCE": str(folder), **environment},
                stdout=starter.PIPE,
                stderr=log,
            )

    def first_line(self, within: float = 20.0) -> str:
        ready, _, _ = select.select([self.process.stdout], [], [], within)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"{self.name} does not start: {self.log.read_text()[-2000:]}"
        return line

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """To the process and all that it started."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def end(self, within: float = 15.0) -> int:
        """A polite stop; the exit code."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        finally:
            self.signal(signal.SIGKILL)
            self.process.wait(10)
            self.process.stdout.close()


class Bank(Process):
    """The sandbox bank; on port 0 it takes a free one."""

    def __init__(self, folder: Path, port: int = 0, **environment: str):
        super().__init__(
            folder,
            "bank",
            "gateways.sandbox.bank",
            BANK_SANDBOX_PORT=str(port),
            BANK_SANDBOX_STORE=str(folder / "bank.sqlite3"),
            **environment,
        )
        self.url = re.search(r"http://\S+", self.first_line())[0]
        self.port = int(self.url.rpartition(":")[2])

    @property
    def gate_url(self) -> str:
        return f"{self.url}/fim/est3Dgate"

    @property
    def api_url(self) -> str:
        return f"{self.url}/fim/api"


class MailSink(Process):
    """The SMTP sink; what it took is in its folder."""

    def __init__(self, folder: Path, port: int = 0):
        self.folder = folder / "inbox"
        port = port or free_port()
        super().__init__(folder, "mail", "gateways.sandbox.mail", SMTP_PORT=str(port), DYQANI_INBOX=str(self.folder))
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", self.first_line())[1])

    def mails(self) -> list[dict]:
        """The newest first."""
        return read_inbox(self.folder, limit=500)

    def empty(self) -> None:
        for path in self.folder.glob("*.eml") if self.folder.exists() else ():
            path.unlink()


class SmsSink(Process):
    """The sandbox SMS gateway; what it took is in its folder."""

    def __init__(self, folder: Path, port: int = 0, **environment: str):
        self.folder = folder / "inbox"
        port = port or free_port()
        super().__init__(
            folder,
            "sms",
            "gateways.sandbox.sms",
            SMS_SANDBOX_PORT=str(port),
            DYQANI_INBOX=str(self.folder),
            **environment,
        )
        self.url = re.search(r"http://127\.0\.0\.1:\d+/[\w/-]+", self.first_line())[0]

    def messages(self) -> list[dict]:
        """The newest first."""
        return read_sms(self.folder, limit=500)

    def empty(self) -> None:
        for path in self.folder.glob("*.sms") if self.folder.exists() else ():
            path.unlink()


class Page:
    """One answer as a browser without JavaScript sees it: forms can be filled in and sent."""

    def __init__(self, browser: "Browser", response: requests.Response):
        self.browser, self.response = browser, response
        self.status, self.url = response.status_code, response.url
        self.document = html5lib.parse(response.text, namespaceHTMLElements=False)

    @property
    def text(self) -> str:
        return " ".join("".join(self.document.itertext()).split())

    def forms(self, action: str = "") -> list:
        """The forms whose address holds `action`."""
        return [form for form in self.document.iter("form") if action in (form.get("action") or self.url)]

    def send(self, action: str = "", press: tuple[str, str] | None = None, **typed: str) -> "Page":
        """Fill in the first form whose address holds `action`, and send it."""
        forms = self.forms(action)
        assert forms, f"no form to {action!r} in {self.url} ({self.status}): {self.text[:600]}"
        form = forms[0]
        data = self._filled(form)
        data.update(dict([press]) if press else {})
        data.update(typed)
        address = urljoin(self.url, form.get("action") or self.url)
        return self.browser.post(address, data)

    @staticmethod
    def _filled(form) -> dict[str, str]:
        data = {}
        for field in form.iter("input"):
            kind = field.get("type", "text")
            if not field.get("name") or kind in ("submit", "button"):
                continue
            if kind in ("checkbox", "radio") and field.get("checked") is None:
                continue
            data[field.get("name")] = field.get("value", "on" if kind == "checkbox" else "")
        for area in form.iter("textarea"):
            data[area.get("name")] = "".join(area.itertext())
        for chooser in form.iter("select"):
            options = list(chooser.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            if chooser.get("name") and chosen:
                data[chooser.get("name")] = chosen[0].get("value", "")
        return data


class Browser:
    """A browser without JavaScript, on loopback only."""

    def __init__(self, base: str = ""):
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **more) -> Page:
        return Page(self, self.session.get(urljoin(self.base, path), timeout=20, **more))

    def post(self, address: str, data: dict, **more) -> Page:
        return Page(self, self.session.post(address, data=data, timeout=20, **more))

    def pay(self, page: Page, card: str, stop_before: str = "") -> Page:
        """From the page with the signed form through the bank: its result page, or the step to stop before.

        `stop_before` is "card" (at the card page) or "code" (card given, 3-D Secure not).
        """
        card_page = page.send("est3Dgate")
        if stop_before == "card":
            return card_page
        link = next(a.get("href") for a in card_page.document.iter("a") if a.get("id") == f"use-{card}")
        filled = self.get(urljoin(card_page.url, link))
        code_page = filled.send("/pay/", press=("action", "pay"))
        if stop_before == "code":
            return code_page
        return self.give_code(code_page)

    @staticmethod
    def give_code(code_page: Page) -> Page:
        code = next("".join(e.itertext()) for e in code_page.document.iter("output") if e.get("id") == "given")
        return code_page.send("/3ds", press=("action", "confirm"), code=code)

    @staticmethod
    def come_back(result_page: Page) -> Page:
        """The signed return that the bank's result page posts to the shop."""
        return result_page.send("/pay/return")


def signed_form(browser: Browser, bank: Bank, fields: dict[str, str]) -> Page:
    """The bank's card page for a payment's signed fields, without a shop in between."""
    return browser.post(bank.gate_url, fields)


def pay_at_bank(bank: Bank, fields: dict[str, str], card: str = "approve") -> Page:
    """The whole way from a payment's signed fields to the bank's result page."""
    assert card in TEST_CARDS
    browser = Browser(bank.url)
    card_page = signed_form(browser, bank, fields)
    link = next(a.get("href") for a in card_page.document.iter("a") if a.get("id") == f"use-{card}")
    filled = browser.get(urljoin(card_page.url, link))
    return browser.give_code(filled.send("/pay/", press=("action", "pay")))


def returned_fields(result_page: Page) -> dict[str, str]:
    """The signed message that the bank's result page sends back through the browser."""
    [form] = [form for form in result_page.document.iter("form") if "HASH" in Page._filled(form)]
    return Page._filled(form)


def json_lines(path: Path) -> list[dict]:
    """The structured lines of a process's log."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{")]
