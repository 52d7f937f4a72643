"""The start scripts as an operator runs them: bin/run, its real processes and a very small shop."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    path
    for path in [*(ROOT / "bin").iterdir(), ROOT / ".ci" / "run"]
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")
)
SHOP = """
import click
from flask import Flask


def create_app():
    app = Flask(__name__)
    app.add_url_rule("/health", view_func=lambda: "ok", endpoint="health")
    db, demo = click.Group("db"), click.Group("demo")
    db.add_command(click.Command("migrate", callback=lambda: click.echo("migrated")))
    demo.add_command(click.Command("load", callback=lambda: click.echo("loaded")))
    app.cli.add_command(db)
    app.cli.add_command(demo)
    app.cli.add_command(click.Command("worker", callback=work))
    return app


def work():
    import time

    time.sleep(60)
"""
STUBBORN = """
import signal, subprocess, sys, time

for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"])
time.sleep(60)
"""


def environment(**settings):
    ours = re.compile(r"(DYQANI|BANK|SMTP|SMS)_|(PORT|HOST|DATABASE_URL|WEB_CONCURRENCY|PYTHON)$")
    kept = {name: value for name, value in os.environ.items() if not ours.match(name)}
    return kept | {name: str(value) for name, value in settings.items()}


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


@pytest.fixture
def shop(tmp_path):
    """A copy of the start scripts around a very small shop, in a folder with a space in its name."""
    root = tmp_path / "my shop"
    shutil.copytree(ROOT / "bin", root / "bin")
    for name in ("gateways", "face", "brand"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, root)
    (root / "app.py").write_text(SHOP)
    (root / "models").mkdir()
    (root / "models" / "base.py").write_text("from peewee import SqliteDatabase\ndb = SqliteDatabase(':memory:')\n")
    (root / "models" / "shelf.py").write_text("class shelf:\n    @staticmethod\n    def fresh(): pass\n")
    (root / "models" / "budget.py").write_text("class budget:\n    @staticmethod\n    def fresh(): pass\n")
    # The libraries are there already: what is tried here is the running.
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (root / ".venv" / "bin" / "python").chmod(0o755)
    (root / "bin" / "setup").write_text("#!/bin/sh\nexit 0\n")
    return root


class Run:
    """bin/run of a shop, as a process in the background."""

    def __init__(self, root, **settings):
        self.port, bank, smtp, sms, bss = free_ports(5)
        self.log = root / "run.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [root / "bin" / "run"],
                cwd="/",
                env=environment(
                    PORT=self.port,
                    BANK_SANDBOX_PORT=bank,
                    SMTP_PORT=smtp,
                    SMS_SANDBOX_PORT=sms,
                    BSS_SANDBOX_PORT=bss,
                    **settings,
                ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.root = root

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [self.process.pid, *self.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    @property
    def said(self):
        return self.log.read_text()

    def until(self, wanted, seconds=30):
        deadline = time.monotonic() + seconds
        while not wanted():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def until_open(self):
        self.until(lambda: "The shop is open" in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said
        return self

    def children(self, word=""):
        """The processes of this shop that still run, by what their command line holds."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == self.process.pid:
                continue
            try:
                ours = os.readlink(folder / "cwd") == str(self.root)
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if ours and command and word in command:
                found.append(int(folder.name))
        return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_parsed_and_run(script):
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("name", ["run", "setup", "test", "postgres", "kannel"])
def test_a_script_explains_itself_and_refuses_what_it_does_not_know(name):
    script = ROOT / "bin" / name
    told = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=20, check=True)
    assert told.stdout.startswith(f"Usage: bin/{name}")
    if name != "postgres":
        refused = subprocess.run([script, "--no-such"], capture_output=True, text=True, timeout=20)
        assert refused.returncode == 2
        assert f"Usage: bin/{name}" in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("PORT", "the shop"),
        ("BANK_SANDBOX_PORT", "the sandbox bank"),
        ("SMTP_PORT", "the sandbox mail server"),
        ("SMS_SANDBOX_PORT", "the sandbox SMS gateway"),
        ("BSS_SANDBOX_PORT", "the sandbox billing system"),
    ],
)
def test_a_port_in_use_is_said_at_once_and_nothing_is_done(tmp_path, name, who):
    names = ("PORT", "BANK_SANDBOX_PORT", "SMTP_PORT", "SMS_SANDBOX_PORT", "BSS_SANDBOX_PORT")
    ports = dict(zip(names, free_ports(5), strict=True))
    with socket.create_server(("127.0.0.1", ports[name])):
        ended = subprocess.run(
            [ROOT / "bin" / "run"],
            env=environment(DYQANI_INSTANCE=tmp_path / "data", **ports),
            capture_output=True,
            text=True,
            timeout=10,
        )
    assert ended.returncode == 1
    assert f"Port {ports[name]} of 127.0.0.1, for {who}, is in use" in ended.stderr
    assert f"{name}=" in ended.stderr
    assert ended.stdout == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"PORT": "http"}, "PORT must be a port number"),
        ({"PORT": "70000"}, "PORT must be a port number"),
        ({"PORT": "0"}, "PORT must be a port number"),
        ({"PORT": "8123", "SMTP_PORT": "8124"}, "must differ"),
        ({"DYQANI_ENV": "production"}, "starts the demo only"),
        ({"HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        ({"HOST": "no such host"}, "cannot listen on no such host"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(tmp_path, settings, reason):
    usual = {"PORT": free_ports(1)[0], "DYQANI_INSTANCE": tmp_path / "data"}
    ended = subprocess.run(
        [ROOT / "bin" / "run"],
        env=environment(**usual | settings),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode in (1, 2)
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_the_demo_opens_says_where_and_stops_whole_on_one_ctrl_c(shop):
    with Run(shop) as run:
        run.until_open()
        assert f"http://127.0.0.1:{run.port}\n" in run.said
        assert "/demo/inbox" in run.said
        assert "eligible@example.com" in run.said
        assert "4000 0000 0000 0002" in run.said
        assert run.said.index("migrated") < run.said.index("loaded") < run.said.index("The shop is open")
        # A master and two workers of the web server, the worker, bank, mail server, SMS gateway, billing system.
        run.until(lambda: len(run.children("gunicorn")) == 3)
        assert len(run.children()) == 8
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(20) == 0
        assert run.children() == []
        assert "Traceback" not in run.said


def test_ctrl_c_pressed_twice_ends_even_what_will_not_stop(shop):
    (shop / "gateways" / "sandbox" / "mail.py").write_text(STUBBORN)
    with Run(shop) as run:
        run.until(lambda: len(run.children("time.sleep")) == 1 and len(run.children("gunicorn")) == 3)
        run.process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert run.process.poll() is None
        run.process.send_signal(signal.SIGINT)
        run.process.wait(5)
        assert run.children() == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("worker", "app worker"),
        ("bank", "sandbox.bank"),
        ("mail", "sandbox.mail"),
        ("sms", "sandbox.sms"),
        ("bss", "sandbox.bss"),
    ],
)
def test_when_one_process_dies_the_others_stop_and_it_is_named(shop, name, word):
    with Run(shop) as run:
        run.until_open()
        [victim] = run.children(word)
        os.kill(victim, signal.SIGKILL)
        assert run.process.wait(20) == 1
        assert run.children() == []
        assert f"The process {name} ended by signal 9" in run.said


def test_when_the_runner_itself_is_killed_its_processes_do_not_stay(shop):
    with Run(shop) as run:
        run.until_open()
        run.process.kill()
        run.process.wait()
        run.until(lambda: run.children() == [], seconds=20)


def test_a_step_that_fails_ends_the_start_with_its_reason(shop):
    (shop / "app.py").write_text(SHOP.replace('click.echo("loaded")', "1 / 0"))
    with Run(shop) as run:
        assert run.process.wait(30) == 1
        assert "flask demo load failed" in run.said
        assert run.children() == []


def test_two_runs_do_not_share_a_data_folder(shop):
    with Run(shop) as first:
        first.until_open()
        with Run(shop) as second:
            assert second.process.wait(20) == 1
            assert "Another bin/run uses the data folder" in second.said
        assert first.process.poll() is None


@pytest.mark.parametrize("settings", [{}, {"DYQANI_INSTANCE": "data"}])
def test_the_settings_of_a_real_mail_server_or_bank_stay_out_of_the_demo(shop, settings, tmp_path):
    (shop / "app.py").write_text(
        SHOP.replace(
            'click.echo("migrated")',
            "print([pair for pair in __import__('os').environ.items() if pair[0][:4] in 'SMTP BANK DYQA SMS_ BSS_'])",
        )
    )
    real = {
        "SMTP_HOST": "mail.example.com",
        "SMTP_PASSWORD": "sekret",
        "BANK_STORE_KEY": "real",
        "SMS_URL": "https://sms.example.com/cgi-bin/sendsms",
        "BSS_WEBHOOK_URL": "https://bss.example.com/events",
    }
    if settings:
        settings = {"DYQANI_INSTANCE": tmp_path / "data"}
    with Run(shop, **real, **settings) as run:
        run.until_open()
        assert "mail.example.com" not in run.said
        assert "sms.example.com" not in run.said
        assert "bss.example.com" not in run.said
        assert "sekret" not in run.said
        assert "'BANK_STORE_KEY'" not in run.said
        assert f"('DYQANI_INSTANCE', '{settings.get('DYQANI_INSTANCE', shop / 'instance')}')" in run.said


def test_open_connections_that_say_nothing_do_not_hold_up_the_shop(shop):
    with Run(shop) as run:
        run.until_open()
        idle = [socket.create_connection(("127.0.0.1", run.port)) for _ in range(20)]
        try:
            started = time.monotonic()
            with socket.create_connection(("127.0.0.1", run.port), 10) as asking:
                asking.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                assert asking.recv(100).split()[1] == b"200"
            assert time.monotonic() - started < 3
        finally:
            for connection in idle:
                connection.close()


SUITE = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("reports", "codes", "line", "code"),
    [
        ({"sqlite-models": (10, 0, 0, 0), "postgres": (10, 0, 0, 0)}, (0, 0), "20 passed, 0 failed", 0),
        ({"sqlite-models": (10, 1, 1, 3), "postgres": (10, 0, 0, 0)}, (1, 0), "15 passed, 2 failed, 3 skipped", 1),
        ({"sqlite-models": (10, 0, 0, 0)}, (0, 69), "10 passed, 1 failed", 1),
        ({}, (2, 2), "0 passed, 2 failed", 1),
    ],
)
def test_the_last_line_of_the_checks_sums_up_all_tests(tmp_path, reports, codes, line, code):
    for name, numbers in reports.items():
        (tmp_path / f"{name}.xml").write_text(SUITE.format(*numbers))
    ended = subprocess.run(
        [
            *(sys.executable, ROOT / "bin" / "summary.py", tmp_path),
            f"{codes[0]}|tests on SQLite: models|3 s",
            f"{codes[1]}|tests on PostgreSQL|4 s",
        ],
        capture_output=True,
        text=True,
    )
    assert ended.stdout.splitlines()[-1] == line
    assert ended.returncode == code
