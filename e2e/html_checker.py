"""The Nu HTML checker as a server on loopback: what the standard says of a page's markup."""

import os
import re
import subprocess
import time

import requests

from e2e.conftest import free_port

# htmx's attributes are not the standard's; it takes them for granted that a checker is told so.
OF_HTMX = re.compile("Attribute “hx-[a-z:-]+” not allowed on element")


class HtmlChecker:
    """Runs as long as the block that holds it; `errors` asks it. VNU_JAR says where it is (bin/html-checker)."""

    def __init__(self):
        self._port = free_port()

    def __enter__(self) -> "HtmlChecker":
        self._process = subprocess.Popen(
            [
                "java", "-Xmx256m", "-cp", os.environ["VNU_JAR"], "-Dnu.validator.servlet.bind-address=127.0.0.1",
                "nu.validator.servlet.Main", str(self._port),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.errors("<!doctype html><html lang=sq><title>-</title>")
                return self
            except requests.ConnectionError:
                time.sleep(0.2)
        self.__exit__()
        raise AssertionError("The HTML checker does not answer.")

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait(20)

    def errors(self, html: str) -> list[str]:
        """What is wrong with a page, each with the place where it stands."""
        answer = requests.post(
            f"http://127.0.0.1:{self._port}/?out=json",
            data=html.encode(),
            headers={"Content-Type": "text/html; charset=utf-8"},
            timeout=60,
        )
        answer.raise_for_status()
        return [
            f"{said['message']} ({said.get('extract', '').strip()})"
            for said in answer.json()["messages"]
            if said["type"] != "info" and not OF_HTMX.match(said["message"])
        ]
