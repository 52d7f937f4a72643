"""Proofs that shoppers attach to a complaint: checked by what is in them, kept outside the web root (AFT-4).

A file is whole on the disk before its row is written, and a row is there only with its claim: whatever was killed in
between leaves a file without a row, which `Attachment.sweep` takes away.
"""

import os
import re
import secrets
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from peewee import CharField, Check, ForeignKeyField, IntegerField
from PIL import Image

import config
from models.base import BaseModel, MomentField
from models.claim import Claim

MOST = 3
BYTES_MAX = 5 * 1024 * 1024
# A phone's picture has 12 to 50 million; unpacked, more would take the memory of a process.
PIXELS_MAX = 60_000_000
# What a file is → how its name ends.
KINDS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
# A file without a row is taken away when it is so old: no request that still writes its row takes as long.
ORPHAN_SECONDS = 3600


class NotAccepted(Exception):
    """A file that is not kept; `why` is empty, too_large, kind (no PDF, JPEG or PNG) or broken."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Paper:
    """A file that lies in its folder and has no row yet."""

    name: str
    kind: str
    size: int
    stored: str


class Attachment(BaseModel):
    """One file of a claim."""

    claim = ForeignKeyField(Claim, backref="attachments", on_delete="CASCADE")
    # How the shopper called it, with the ending of what it is.
    name = CharField(max_length=100)
    kind = CharField(max_length=20, constraints=[Check(f"kind IN ({', '.join(map(repr, KINDS))})")])
    size = IntegerField(constraints=[Check(f"size > 0 AND size <= {BYTES_MAX}")])
    # The file's name in `config.ATTACHMENTS`: random, so that nothing of what was typed becomes a path.
    stored = CharField(max_length=43, unique=True)
    at = MomentField()

    @property
    def path(self) -> Path:
        return config.ATTACHMENTS / self.stored

    @classmethod
    def add(cls, claim: Claim, papers, now) -> None:
        """Write the rows of `papers`; call it in the transaction that opens the claim."""
        for paper in papers:
            cls.create(claim=claim, name=paper.name, kind=paper.kind, size=paper.size, stored=paper.stored, at=now)

    @classmethod
    def of(cls, claims) -> dict[int, list["Attachment"]]:
        """The files of each of `claims`, by the claim's id; one query."""
        found = {claim.id: [] for claim in claims}
        if found:
            for attachment in cls.select().where(cls.claim.in_(list(found))).order_by(cls.id):
                found[attachment.claim_id].append(attachment)
        return found

    @classmethod
    def sweep(cls, now) -> int:
        """Take away the files whose row was never written; returns how many. It may run twice at once."""
        if not config.ATTACHMENTS.is_dir():
            return 0
        old = time.time() - ORPHAN_SECONDS
        left = {file.name for file in os.scandir(config.ATTACHMENTS) if is_older(file, old)}
        known = set()
        names = sorted(left)
        for begin in range(0, len(names), 500):
            part = names[begin : begin + 500]
            known |= {row.stored for row in cls.select(cls.stored).where(cls.stored.in_(part))}
        for name in left - known:
            (config.ATTACHMENTS / name).unlink(missing_ok=True)
        return len(left - known)


def put(name: str, data: bytes) -> Paper:
    """Check a file and lay it into the folder; raises NotAccepted. `name` is what the shopper's browser said."""
    kind = kind_of(data)
    config.ATTACHMENTS.mkdir(parents=True, exist_ok=True, mode=0o700)
    stored = secrets.token_urlsafe(24)
    file = os.open(config.ATTACHMENTS / stored, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as writing:
        writing.write(data)
        writing.flush()
        os.fsync(writing.fileno())
    folder = os.open(config.ATTACHMENTS, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Paper(name=tidy_name(name, kind), kind=kind, size=len(data), stored=stored)


def is_older(file: os.DirEntry, than: float) -> bool:
    """Whether it is a file from before `than`; false where another worker took it away since it was listed."""
    try:
        return file.is_file(follow_symlinks=False) and file.stat(follow_symlinks=False).st_mtime < than
    except FileNotFoundError:
        return False


def drop(papers) -> None:
    """Take files away whose rows were not written."""
    for paper in papers:
        with suppress(OSError):
            (config.ATTACHMENTS / paper.stored).unlink(missing_ok=True)


def kind_of(data: bytes) -> str:
    """What `data` is, by what is in it and never by its name; raises NotAccepted."""
    if not data:
        raise NotAccepted("empty")
    if len(data) > BYTES_MAX:
        raise NotAccepted("too_large")
    if data.startswith(b"%PDF-"):
        if b"%%EOF" not in data[-2048:]:
            raise NotAccepted("broken")
        return "application/pdf"
    if data.startswith(b"\xff\xd8\xff"):
        return _picture(data, "image/jpeg", ("JPEG", "MPO"))
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture(data, "image/png", ("PNG",))
    raise NotAccepted("kind")


def _picture(data: bytes, kind: str, formats) -> str:
    try:
        with Image.open(BytesIO(data), formats=formats) as image:
            if image.width * image.height > PIXELS_MAX:
                raise NotAccepted("too_large")
            if kind == "image/png":
                # Reads each part and its check sum.
                image.verify()
            else:
                # Unpacked at an eighth, which finds a picture that was cut off and takes little.
                image.draft("RGB", (image.width // 8 or 1, image.height // 8 or 1))
                image.load()
    except NotAccepted:
        raise
    except Exception as error:
        # Made-up pictures stumble in a reader wherever they like: struct.error, IndexError, SyntaxError…
        raise NotAccepted("broken") from error
    return kind


def tidy_name(name: str, kind: str) -> str:
    """How a file is called when somebody fetches it: letters and digits of what the shopper called it, no path."""
    name = unicodedata.normalize("NFC", name or "").replace("\\", "/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    stem = re.sub(r"[^\w -]+", "_", stem)
    stem = re.sub(r"[\s_]+", "_", stem).strip("_-. ")[:80]
    return f"{stem or 'deshmia'}.{KINDS[kind]}"
