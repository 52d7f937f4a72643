"""The points club with many members: a month's credit, notices, the lapse and an audit; `bin/bench club`.

Each runs in a process of its own over a fresh SQLite file, as the commands of `flask club` do, with a bar that shows
how far it is. What is compared is the processor time for each member: it does not grow when there are more of them.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.shop import ROOT, keep, machine, settings, table, verdict

SIZES = (10_000, 50_000, 100_000)
# Against the fewest members: what each takes of the processor, and megabytes.
MOST_TIMES, MOST_MORE_MB = 1.3, 60
STEPS = {
    "credit": "month credited to all",
    "again": "the same month again",
    "notices": "all told by SMS and mail",
    "lapse": "all points lapse",
    "audit": "audit",
    "idle": "the worker's round, nothing due",
}
MONTH = "2025-12"


def fill(count: int, file: Path) -> None:
    """So many members, each with its number, holder and profile, and a month's data of them in `file`."""
    from models.base import db
    from models.club_member import ClubMember
    from models.number import Number, ProfileNumber
    from models.profile import Profile
    from models.subscriber import Holder, Subscriber

    joined, since = datetime(2025, 11, 15, 12, tzinfo=UTC), date(2020, 1, 1)
    with db.atomic(), file.open("w") as lines:
        lines.write("msisdn,amount\n")
        for begin in range(0, count, 1000):
            ids = range(begin + 1, begin + 1001)
            names = {"first_name": "Arta", "last_name": "Berisha"}
            Holder.insert_many(
                {"id": n, "id_number": f"H{n:07}", "segment": "private", **names} for n in ids
            ).execute()
            Subscriber.insert_many({"id": n, "holder": n, "code": f"S-{n}", "since": since} for n in ids).execute()
            Number.insert_many(
                {"id": n, "msisdn": f"3897{n:07}", "subscriber": n, "sim_end": "123456", "kind": "postpaid"}
                for n in ids
            ).execute()
            Profile.insert_many(
                {"id": n, "email": f"{n}@example.com", "password_hash": "-", "created_at": joined} for n in ids
            ).execute()
            ProfileNumber.insert_many({"profile": n, "number": n, "added_at": joined} for n in ids).execute()
            ClubMember.insert_many(
                {"number": n, "profile": n, "language": "sq", "holder": n, "segment": "private", "kind": "postpaid"}
                | {"joined_at": joined, "earns_from": date(2025, 12, 1)}
                for n in ids
            ).execute()
            lines.writelines(f"3897{n:07},{1000 + n % 900}\n" for n in ids)


def run(step: str, count: int, file: Path) -> None:
    """Do one step, and tell on standard output what it took."""
    import click

    from models.base import db

    with db.connection_context():
        if step == "fill":
            fill(count, file)
            return
        began, busy = time.monotonic(), time.process_time()
        with click.progressbar(length=count, label=f"{STEPS[step]:32}", file=sys.stderr) as bar:
            _do(step, count, file, lambda done: bar.update(min(done, count) - bar.pos))
        told = {"seconds": time.monotonic() - began, "busy": time.process_time() - busy}
    # Not of getrusage: that begins with the most that the process had which started this one.
    [peak] = re.findall(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    told["mb"] = int(peak) / 1024
    sys.stdout.write(json.dumps(told))


def _do(step: str, count: int, file: Path, progress) -> None:
    from models.club_ledger import audit, lapse_all_due
    from models.club_lists import SpendingList
    from models.club_notice import ClubNotice

    told, spring, june, july = (datetime(2026, *day, 10, tzinfo=UTC) for day in ((1, 3), (4, 1), (6, 1), (7, 1)))
    if step in ("credit", "again"):
        done = SpendingList(file).credit(MONTH, told, lambda share: progress(round(share * count)))
        assert (done.credited, done.unchanged) == ((count, 0) if step == "credit" else (0, count)), done
    elif step == "notices":
        assert ClubNotice.tell_all_due(june, progress, within=math.inf) == count
    elif step == "lapse":
        assert lapse_all_due(july, progress, within=math.inf) == count
    elif step == "audit":
        assert not list(audit(progress))
    else:
        from models.club_member import ClubMember
        from models.club_month import block_all_due
        from models.club_service import ClubService

        tasks = (ClubMember.follow_all_services, ClubService.end_all_due, lapse_all_due)
        for task in (*tasks, ClubNotice.tell_all_due, block_all_due):
            assert not task(spring)


def measure(count: int) -> dict[str, dict]:
    """What each step took with so many members."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="dyqani-bench-") as folder:
        own = settings(DYQANI_INSTANCE=folder, DATABASE_URL=f"sqlite:///{folder}/club.db", PYTHONPATH=ROOT)
        file = Path(folder) / "month.csv"
        flask = [sys.executable, "-m", "flask", "--app", "app", "db", "migrate"]
        subprocess.run(flask, cwd=ROOT, env=own, check=True, stdout=subprocess.DEVNULL)
        sys.stderr.write(f"{count:,} members\n")
        # With nothing due before the notices are.
        for step in ("fill", "credit", "again", "idle", "notices", "lapse", "audit"):
            command = [
                sys.executable,
                "-m",
                "benchmarks.club",
                "--step",
                step,
                "--members",
                str(count),
                "--file",
                file,
            ]
            done = subprocess.run(command, cwd=ROOT, env=own, check=True, stdout=subprocess.PIPE, text=True)
            if done.stdout:
                found[step] = json.loads(done.stdout)
    return found


def report(found: dict[int, dict[str, dict]]) -> str:
    least, most = min(found), max(found)
    rows, verdicts = [], []
    for step, title in STEPS.items():
        for count, steps in found.items():
            took, first = steps[step], found[least][step]
            each, before = took["busy"] / count, first["busy"] / least
            rows.append(
                [title, f"{count:,}", f"{took['seconds']:.1f} s", f"{each * 1e6:.0f} µs"]
                + [f"{each / before:.2f}", f"{took['mb']:.0f} MB"]
            )
        if most > least:
            times = found[most][step]["busy"] / most / (found[least][step]["busy"] / least)
            more = found[most][step]["mb"] - found[least][step]["mb"]
            verdicts.append([title, f"≤ {MOST_TIMES}", f"{times:.2f}", verdict(times <= MOST_TIMES)])
            said = verdict(more <= MOST_MORE_MB)
            verdicts.append([f"{title}: memory", f"≤ {MOST_MORE_MB} MB more", f"{more:.0f} MB", said])
    header = ["what", "members", "time", "processor, each", f"against {least:,}", "peak memory"]
    parts = [f"{machine()}.", "", table(header, rows)]
    if verdicts:
        parts += ["", table([f"{most:,} against {least:,} members", "limit", "measured", ""], verdicts)]
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench club", description=__doc__)
    parser.add_argument("--members", default=",".join(map(str, SIZES)), help="how many, with commas")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/performance.md")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.step:
        run(options.step, int(options.members), options.file)
        return 0
    text = report({count: measure(count) for count in map(int, options.members.split(","))})
    sys.stdout.write(text + "\n")
    if options.write:
        keep("club", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
