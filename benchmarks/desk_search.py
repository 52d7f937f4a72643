"""The desk's search over few and over very many orders; `bin/bench desk-search`.

Fills a fresh database for each number of orders: made-up customers with names that recur as they do in the country,
and what placing an order writes of it: the order, its line and its keys. Then an agent who is logged in types, by
turns over each of them, so that what else the machine does hits all. Measured over WSGI is all that an agent waits
for: the form that is sent and the page that it leads to, which is the list or the only order there is. Beside it
`OrderSearch` by itself with the rows of its list.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from benchmarks.shop import ROOT, database, keep, machine, settings, synthetic, table, verdict

SIZES = (2_000, 200_000)
# Of the most orders against the fewest, p95 of all searches.
MOST_TIMES = 2.0
TURNS = 60
EMAIL, PASSWORD = "agent@example.com", "bench-password"
DESK = "/desk/porosite"
KINDS = {
    "number": "number",
    "part": "five characters of a number",
    "phone": "phone, 070 123 456 or +389 70/123-456",
    "email": "e-mail",
    "email-begun": "beginning of an e-mail",
    "full-name": "full name",
    "first-name": "first name",
    "last-begun": "half a last name",
    "name-state": "name and a state",
    "state": "a state alone",
}
DAYS = 3 * 365
# How often an order is in a state: of those that are younger than so many days.
_STATES = {
    4: {
        "awaiting_payment": 6,
        "confirmed": 30,
        "packed": 16,
        "with_courier": 22,
        "delivery_failed": 4,
        "delivered": 22,
    },
    12: {"confirmed": 1, "packed": 1, "with_courier": 1, "delivery_failed": 2, "delivered": 84, "cancelled": 11},
    DAYS + 1: {"delivered": 82, "cancelled": 6, "returned": 4, "lapsed": 8},
}
_ALBANIAN = """
    Arben Besnik Fatmir Agim Ilir Bekim Driton Valon Artan Burim Naser Muhamed Shpend Ardian Blerim Flamur Gazmend
    Kujtim Luan Mentor Nexhat Petrit Rexhep Sami Shpëtim Xhevdet Ylber Zeqir Fisnik Granit Arta Besa Vjosa Teuta
    Mimoza Drita Valbona Lindita Shqipe Albana Blerta Fatime Merita Nexhmije Elmaze Luljeta Rina Sara Yllka Zana
"""
_ALBANIAN_LAST = """
    Ademi Aliu Ahmeti Asani Bajrami Berisha Bekteshi Çela Dauti Demiri Elezi Emini Fetahu Gashi Hasani Halimi Hoxha
    Hyseni Ibraimi Idrizi Imeri Iseni Ismaili Jakupi Jashari Kadriu Krasniqi Latifi Limani Mehmeti Memeti Murati
    Mustafa Nuhiu Osmani Pajaziti Qamili Ramadani Rexhepi Rushiti Saiti Salihu Selimi Shabani Sulejmani Veliu Xhaferi
    Zendeli Zeqiri Zhuta
"""
_MACEDONIAN = """
    Aleksandar Nikola Stefan Dragan Goran Zoran Igor Dejan Marko Filip Petar Jovan Bojan Goce Vlatko Trajče Kire
    Ljupčo Blagoj Slavčo Toni Darko Ivan Martin David Ana Marija Elena Ivana Katerina Biljana Suzana Vesna Snežana
    Gordana Jasmina Kristina Monika Sofija Teodora Violeta Aneta Daniela Dijana Emilija Frosina Hristina Irena Julija
    Zorica
"""
_MACEDONIAN_LAST = """
    Stojanovski Petrovski Nikolovski Jovanovski Trajkovski Markovski Dimitrievski Ristovski Angelovski Ilievski
    Gjorgjievski Bogdanovski Cvetkovski Todorovski Velkovski Mitrevski Atanasovski Spasovski Kostovski Stefanovski
    Naumovski Pavlovski Georgievski Simonovski Zdravkovski Blaževski Damjanovski Filipovski Krstevski Lazarevski
    Mihajlovski Popovski Savevski Tasevski Ugrinovski Vasilevski Zlatanovski Jakimovski Koneski Arsovski Bojkovski
    Cvetanovski Dodevski Efremov Gligorov Hadžiev Janev Kolev Manev Stojčev
"""
_ASCII = str.maketrans("ëçščžđ", "ecsczd")
_MAILS = ("example.com", "mail.example.com", "example.org", "post.example.net")


# Filling


def customer(at: int) -> dict[str, str]:
    """The customer of this number, the same every time."""
    chance = random.Random(at)
    given, family = chance.choices(((_ALBANIAN, _ALBANIAN_LAST), (_MACEDONIAN, _MACEDONIAN_LAST)), (55, 45))[0]

    def one_of(text: str) -> str:
        names = text.split()
        # The first of them are many times as frequent as the last.
        return chance.choices(names, [1 / (rank + 6) for rank in range(len(names))])[0]

    first, last = one_of(given), one_of(family)
    if last.endswith("ski") and first.endswith("a"):
        last = f"{last[:-1]}a"
    plain = f"{first}.{last}".lower().translate(_ASCII)
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{plain}{chance.randrange(1, 999)}@{chance.choice(_MAILS)}",
        "phone": f"3897{chance.choice('0125678')}{chance.randrange(10**6):06}",
    }


def fill(count: int) -> None:
    """So many orders of half as many customers, with one line and all keys each, and an agent."""
    import click

    from models.base import db, utcnow
    from models.order import Order
    from models.order_key import keys_of
    from models.order_number import new_number

    now, chance = utcnow(), random.Random(1)
    _hire(now)
    like, lines = _examples(now)
    # Oldest first, as they were placed.
    days = sorted((DAYS * chance.random() ** 1.2 for _ in range(count)), reverse=True)
    # Of so many drawn at once two may be alike; placing an order draws again.
    numbers = set()
    while len(numbers) < count:
        numbers.add(new_number())
    with click.progressbar(length=count, label=f"{count:,} orders", file=sys.stderr) as bar:
        for begin in range(0, count, 5000):
            orders, keys = [], []
            for at in range(begin, min(begin + 5000, count)):
                who, placed = customer(chance.randrange(max(1, count // 2))), now - timedelta(days=days[at])
                states = next(states for most, states in _STATES.items() if days[at] < most)
                recipient = customer(chance.randrange(10**6)) if chance.random() < 0.1 else None
                orders.append(
                    like
                    | who
                    | {
                        "id": at + 1,
                        "number": numbers.pop(),
                        "checkout_key": f"bench-{at}",
                        "state": chance.choices(list(states), list(states.values()))[0],
                        "recipient": f"{recipient['first_name']} {recipient['last_name']}" if recipient else "",
                        "placed_at": placed,
                        "payable_until": placed + timedelta(hours=1),
                        "promised_on": (placed + timedelta(days=4)).date(),
                    }
                )
                made = orders[-1]
                names = {f"{made['first_name']} {made['last_name']}", made["recipient"]}
                keys += [(key, at + 1) for key in keys_of(made["number"], made["email"], {made["phone"]}, names)]
            with db.atomic():
                for start in range(0, len(orders), 1000):
                    Order.insert_many(orders[start : start + 1000]).execute()
                _write_lines(lines, begin)
                _write_keys(sorted(keys))
            bar.update(len(orders))
    _settle(count)


def _hire(now) -> None:
    from models.profile import Profile
    from models.second_factor import SecondFactor
    from models.staff import Staff

    agent = Profile(email=EMAIL, created_at=now, verified_at=now)
    agent.set_password(PASSWORD)
    agent.save()
    Staff.add(agent, "agent", now)
    SecondFactor.create(profile=agent, nonce=SecondFactor.new_nonce(), since=now)


def _examples(now) -> tuple[dict, list[dict]]:
    """What all orders have in common, and lines of a dozen devices, as placing an order writes them."""
    from models.catalogue import Variant
    from models.order import terms_edition

    order = {
        "language": "sq",
        "street": "Rr. Ilindenit 12",
        "place": "Shkup",
        "municipality": "MK-609",
        "postal_code": "1000",
        "total": 4_998_000,
        "due_now": 4_998_000,
        "currency": "MKD",
        "terms_edition": terms_edition(),
    }
    lines = []
    for variant in Variant.select().order_by(Variant.id).limit(12):
        device = variant.device
        names = {language: getattr(device, f"name_{language}") for language in ("sq", "mk", "en")}
        lines.append(
            {
                "variant": variant.id,
                "device": device.id,
                "position": 0,
                "sku": variant.sku,
                "contract_type": "device_only",
                "names": names,
                "colours": {"sq": "E zezë", "mk": "Црна", "en": "Black"},
                "storage_gb": 256,
                "quantity": 1,
                "price": 4_998_000,
                "picture": "",
            }
        )
    return order, lines


def _write_lines(lines: list[dict], after: int) -> None:
    """One for each order with a higher id than `after`: the first orders' are written, the others' are copies."""
    from models.base import db
    from models.order import Order, OrderLine

    written = len(lines)
    if after == 0:
        first = [id for (id,) in Order.select(Order.id).order_by(Order.id).limit(written).tuples()]
        OrderLine.insert_many([line | {"order": id} for line, id in zip(lines, first, strict=False)]).execute()
    names = [f.column_name for f in OrderLine._meta.sorted_fields if f.column_name not in ("id", "order_id")]
    copied = ", ".join(f"line.{name}" for name in names)
    # As PostgreSQL's driver takes "%" for a placeholder.
    remainder = f'"order".id - "order".id / {written} * {written}'
    db.execute_sql(
        f"INSERT INTO order_line (order_id, {', '.join(names)}) "  # noqa: S608 - names of columns
        f'SELECT "order".id, {copied} FROM "order" '
        f"JOIN order_line line ON line.id <= {written} AND line.order_id = {remainder} + 1 "
        f'WHERE "order".id > {max(after, written)}'
    )


def _write_keys(rows: list[tuple[str, int]]) -> None:
    """In the way that is fastest: they are ten for each order."""
    from models.base import IS_SQLITE, db

    cursor = db.cursor()
    if IS_SQLITE:
        cursor.executemany("INSERT INTO order_key (key, order_id) VALUES (?, ?)", rows)
        return
    with cursor.copy("COPY order_key (key, order_id) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _settle(count: int) -> None:
    """What PostgreSQL does by itself after some minutes, so that it is not done while something is measured."""
    from models.base import IS_SQLITE, db

    if IS_SQLITE:
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    db.execute_sql(f"""SELECT setval(pg_get_serial_sequence('"order"', 'id'), {count})""")
    db.connection().autocommit = True
    db.execute_sql("VACUUM ANALYZE")
    db.execute_sql("CHECKPOINT")


# Searching


def asked(kind: str, turn: int, count: int) -> tuple[str, str]:
    """What is typed and the state that is chosen, of an order that there is; the same every time."""
    from models.order import STATES, Order
    from models.order_search import LATE

    chance = random.Random(f"{kind} {turn}")
    order = Order.get_by_id(1 + chance.randrange(count))
    state = (*STATES, LATE)[turn % (len(STATES) + 1)]
    digits, half = order.phone[3:], (len(order.last_name) + 1) // 2
    phones = f"0{digits[:2]} {digits[2:5]} {digits[5:]}", f"+389 {digits[:2]}/{digits[2:5]}-{digits[5:]}"
    typed = {
        "number": order.number,
        "part": order.number.replace("-", "")[4:9],
        "phone": phones[turn % 2],
        "email": order.email,
        "email-begun": order.email[:6],
        "full-name": order.full_name,
        "first-name": order.first_name,
        "last-begun": order.last_name[: max(3, half)],
        "name-state": (order.full_name, order.first_name, order.last_name)[turn % 3],
        "state": "",
    }[kind]
    return typed, state if kind in ("name-state", "state") else ""


class Agent:
    """A browser at work, over WSGI."""

    def __init__(self):
        from app import create_app
        from models.base import db, utcnow
        from models.profile import Profile
        from models.second_factor import SecondFactor

        self._client = create_app().test_client()
        self._post("/hyr", {"email": EMAIL, "password": PASSWORD}, self._token("/hyr"))
        with db.connection_context():
            code = SecondFactor.of(Profile.of_email(EMAIL)).code_at(utcnow())
        self._post("/desk/hyrja", {"kodi_im": code}, self._token("/desk/hyrja"))
        self._form = self._token(DESK)

    def _token(self, address: str) -> str:
        page = self._client.get(address)
        assert page.status_code == 200, (address, page.status)
        return re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))[1]

    def _post(self, address: str, form: dict, token: str) -> str:
        answer = self._client.post(address, data=form | {"csrf_token": token})
        assert answer.status_code == 303, (address, answer.status)
        return answer.headers["Location"]

    def search(self, typed: str, state: str) -> float:
        """How many seconds it takes until the agent sees what there is."""
        began = time.perf_counter()
        led = self._post(DESK, {"q": typed, "gjendja": state, "nga": ""}, self._form)
        page = self._client.get(led)
        took = time.perf_counter() - began
        assert page.status_code == 200, (led, page.status)
        return took


def answer(count: int) -> None:
    """For each turn that is asked for on standard input, what each kind of search took, in seconds."""
    from models.base import db, utcnow
    from models.order_search import OrderSearch

    agent = Agent()
    for line in sys.stdin:
        took = {}
        for kind in KINDS:
            with db.connection_context():
                typed, state = asked(kind, int(line), count)
                began = time.perf_counter()
                OrderSearch(utcnow(), typed, state).entries()
                alone = time.perf_counter() - began
            took[kind] = (agent.search(typed, state), alone)
        sys.stdout.write(json.dumps(took) + "\n")
        sys.stdout.flush()


class Searcher:
    """A process that searches among so many orders; use it with `with`."""

    def __init__(self, count: int, url: str | None, folder: Path):
        self._count, self._stack = count, ExitStack()
        folder.mkdir()
        self._log = folder / "log"
        self._url = self._stack.enter_context(database(url, folder))
        self._own = settings(DYQANI_INSTANCE=folder, DATABASE_URL=self._url, PYTHONPATH=ROOT)
        synthetic(self._own, 60, folder)
        subprocess.run(self._command("fill"), cwd=ROOT, env=self._own, check=True)

    def _command(self, step: str) -> list[str]:
        return [sys.executable, "-m", "benchmarks.desk_search", "--step", step, "--orders", str(self._count)]

    def __enter__(self) -> "Searcher":
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with self._log.open("wb") as log:
            command = self._command("answer")
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._own, stderr=log, **pipes)
        return self

    def __exit__(self, *error) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._stack.close()

    def turn(self, number: int) -> dict[str, list[float]]:
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise SystemExit(f"The search among {self._count:,} orders failed:\n{self._log.read_text()[-4000:]}")
        return json.loads(said)


def measure(sizes: list[int], turns: int, url: str | None) -> dict[int, dict[str, list[list[float]]]]:
    """By number of orders and kind: seconds of the whole way and of the search alone, for each turn."""
    import click

    found = {count: {kind: [] for kind in KINDS} for count in sizes}
    with tempfile.TemporaryDirectory(prefix="dyqani-bench-") as folder, ExitStack() as stack:
        searchers = {count: stack.enter_context(Searcher(count, url, Path(folder) / str(count))) for count in sizes}
        with click.progressbar(range(-2, turns), label="searches", file=sys.stderr) as bar:
            for number in bar:
                for count, searcher in searchers.items():
                    for kind, took in searcher.turn(max(0, number)).items():
                        # The first ones make ready what all have in common.
                        if number >= 0:
                            found[count][kind].append(took)
    return found


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    if len(seconds) < 2:
        return seconds[0] * 1000, seconds[0] * 1000
    parts = statistics.quantiles(seconds, n=20, method="inclusive")
    return parts[9] * 1000, parts[18] * 1000


def report(found, where: str) -> str:
    least, most = min(found), max(found)
    rows, ratios = [], {}
    for kind, title in [*KINDS.items(), ("all", "all of them")]:
        cells, p95s = [title], {}
        for count in found:
            took = [one for each in KINDS for one in found[count][each]] if kind == "all" else found[count][kind]
            page, alone = (_percentiles([one[at] for one in took]) for at in (0, 1))
            p95s[count] = page[1], alone[1]
            cells += [f"{page[0]:.1f}", f"{page[1]:.1f}", f"{alone[1]:.1f}"]
        if most > least:
            ratios[kind] = tuple(p95s[most][at] / p95s[least][at] for at in (0, 1))
            cells += [f"{ratio:.2f}" for ratio in ratios[kind]]
        rows.append(cells)
    header = ["typed"]
    for count in found:
        header += [f"{count:,}: p50 ms", "p95 ms", "search alone"]
    turns = len(found[least]["number"])
    parts = [f"{machine()}; {where}; {turns} searches of each kind."]
    if most > least:
        header += ["p95, times", "alone, times"]
    parts += ["", table(header, rows)]
    if most > least:
        bars = [
            ["p95 of all searches, whole way", ratios["all"][0]],
            ["p95 of all searches, search alone", ratios["all"][1]],
            ["the kind that grows most, whole way", max(ratios[kind][0] for kind in KINDS)],
        ]
        verdicts = [
            [title, f"≤ {MOST_TIMES:g} times", f"{ratio:.2f}", verdict(ratio <= MOST_TIMES)] for title, ratio in bars
        ]
        parts += ["", table([f"{most:,} against {least:,} orders", "limit", "measured", ""], verdicts)]
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench desk-search", description=__doc__)
    parser.add_argument("--orders", default=",".join(map(str, SIZES)), help="how many, with commas")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"searches of each kind ({TURNS})")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/performance.md")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.step == "fill":
        from models.base import db

        with db.connection_context():
            fill(int(options.orders))
        return 0
    if options.step == "answer":
        answer(int(options.orders))
        return 0
    url = None
    if options.database == "postgres":
        url = os.environ.get("DATABASE_URL", "")
        if "psycopg" not in url:
            parser.error("postgres needs a server: bin/bench desk-search --database postgres starts one")
    sizes = [int(count) for count in options.orders.split(",")]
    text = report(measure(sizes, options.turns, url), "PostgreSQL" if url else "SQLite")
    sys.stdout.write(text + "\n")
    if options.write:
        keep("desk-search-postgres" if url else "desk-search", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
