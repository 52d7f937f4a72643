"""A real Kannel with the configuration of docs/sms.md, and Kannel's own test handset.

For the tests that speak with it. `needed` skips a test where Debian's packages kannel and kannel-extras are missing.
"""

import os
import queue
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from gateways.sms import SmsGateway

ROOT = Path(__file__).resolve().parents[1]
# Not on the path of everybody who is not root.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/kannel/test"
BEARERBOX, SMSBOX, FAKESMSC = (shutil.which(name, path=PATH) for name in ("bearerbox", "smsbox", "fakesmsc"))

needed = pytest.mark.skipif(
    not (BEARERBOX and SMSBOX and FAKESMSC),
    reason="Kannel is not installed (Debian packages kannel and kannel-extras)",
)

NUMBER, SHORT = "38970100001", "50777"
PATIENCE = 30
FAKE_NETWORK = """
group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
our-host = 127.0.0.1
port = {port}
connect-allow-ip = 127.0.0.1
"""


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def is_listening(port):
    """Looked up, not tried: a call would be taken for the handset or for a box."""
    table = Path("/proc/net/tcp").read_text()
    return re.search(rf": 0100007F:{port:04X} 00000000:0000 0A ", table) is not None


def wait_until(condition, about):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{about} did not come in {PATIENCE} s")
        time.sleep(0.05)


class Handset:
    """Kannel's fakesmsc as a process: `sms` fills with (sender, text) of each SMS that reaches it."""

    def __init__(self, port, says=None, number=NUMBER):
        self.number = number
        command = [FAKESMSC, "-H", "127.0.0.1", "-r", str(port), "-i", "0.2", "-m", "1" if says else "0"]
        self.sms = queue.Queue()
        self.process = subprocess.Popen(
            [*command, says or f"{NUMBER} {SHORT} text nothing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # At its end it interrupts its whole process group: this one, without a group of its own.
            start_new_session=True,
        )
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            if got := re.search(rb"Got message \d+: <(\S+) (\S+) (.*)>$", line.rstrip(b"\n")):
                sender, receiver, rest = got.groups()
                assert receiver.decode() == self.number
                self.sms.put((sender.decode(), self.decoded(rest)))

    @staticmethod
    def decoded(rest):
        kind, _, data = rest.partition(b" ")
        if kind == b"udh":
            # A part of a longer one: its header first, the kind of the data left out.
            return unquote_to_bytes(data.partition(b" data ")[2].replace(b"+", b" "))
        if kind == b"ucs-2":
            return unquote_to_bytes(data.replace(b"+", b" ")).decode("utf-16-be")
        return data.decode()

    def gets(self):
        return self.sms.get(timeout=PATIENCE)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.thread.join(5)
        self.process.stdout.close()


class Kannel:
    """Both boxes as processes; inbound SMS go to the web server on `shop_port`."""

    def __init__(self, folder, shop_port):
        admin, boxes, self.network, self.sendsms = self.ports = free_ports(4)
        written = re.search(r"```ini\n(group = core\n.*?)```", (ROOT / "docs" / "sms.md").read_text(), re.S)[1]
        for old, new in (
            ("13000", admin),
            ("13001", boxes),
            ("13013", self.sendsms),
            (":8000", f":{shop_port}"),
        ):
            assert written.count(old) == 1
            written = written.replace(old, str(new))
        self.file = folder / "kannel.conf"
        self.file.write_text(written + FAKE_NETWORK.format(port=self.network))
        self.log = (folder / "kannel.log").open("wb")
        self.boxes = []
        try:
            self.start(BEARERBOX, boxes)
            self.start(SMSBOX, self.sendsms)
        except BaseException:
            self.close()
            raise

    def start(self, program, port):
        box = subprocess.Popen(
            [program, str(self.file)],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.boxes.append(box)
        wait_until(lambda: is_listening(port) or box.poll() is not None, f"{program} on its port")
        assert box.poll() is None, Path(self.log.name).read_text(errors="replace")[-2000:]

    def gateway(self, **more):
        settings = {"user": "shop", "password": "CHANGE-SENDSMS", "sender": "Dyqani", "timeout": 10} | more
        return SmsGateway(url=f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms", **settings)

    @contextmanager
    def handset(self, says=None, number=NUMBER):
        handset = Handset(self.network, says, number)
        try:
            yield handset
        finally:
            handset.close()

    def close(self):
        # The box of the shop first: without the other it would wait for it.
        for box in reversed(self.boxes):
            box.terminate()
            try:
                box.wait(10)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()
        self.log.close()
