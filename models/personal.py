"""What the shop keeps of people, table by table and column by column: the one register of it (PRV-3…PRV-5).

The file that a person downloads, the dossier for an authority, what erasing a profile does, the retention job and the
privacy page all read it. `tests/models/test_personal.py` compares it with the tables: a column that is in no line
here fails it, until somebody has said what it holds.

Each table says, in `_table(…)`:

    erased     what becomes of a profile's rows when it is erased: `delete`, `cut` (the row stays, without the
               profile), `keep` (it belongs to something that stays), `blank` (the row stays, emptied of the person)
    KIND=…     the personal columns of one of KINDS, each with what it holds: "email:email phone:phone"; blank where
               the row says of a person only that it is there
    plain      columns that say nothing of a person beside what their row is
    hidden     columns that open something, or by which a row is found again: nobody is told them
    staff      columns with the e-mail of who works here: told to nobody outside
    internal   columns that an authority gets, and the person's own download leaves out (docs/privacy.md says why)
    loose      columns of a row that stays, which erasing the profile empties at once
    withheld   true where the person's own download leaves the whole table out

Keys and foreign keys need no line: they lead to what has one.
"""

from dataclasses import dataclass

import config


def _names(text: str) -> frozenset:
    return frozenset(text.split())


# What a column can hold, in words that `views/privacy_words.py` has in each language.
DATA = _names(
    "name email phone address note language id_number sim password network text file consent company device document "
    "invoice mark_of_email"
)


@dataclass(frozen=True)
class Period:
    """How long a kind is kept: `many` of `unit` (hours, days, years) after `since`; or a word alone."""

    unit: str
    many: int = 0
    since: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of data, as the privacy page tells it; its words are in `views/privacy_words.py`."""

    name: str
    periods: tuple[Period, ...]


def _days(name: str, since: str) -> Period:
    return Period("days", getattr(config, name), since)


def kinds() -> list[Kind]:
    """All kinds with the periods that are set now, in the order in which the privacy page tells them."""
    hours = Period("hours", config.CONFIRM_HOURS, "asked")
    day = Period("days", 1, "begun")
    accounts = Period("years", config.KEEP_ORDER_YEARS, "year")
    return [
        Kind("account", (Period("account"),)),
        Kind("registration", (hours,)),
        Kind("attempts", (day,)),
        Kind("addresses", (Period("account"),)),
        Kind("choice", (_days("CART_DAYS", "visit"),)),
        Kind("wishes", (_days("WISH_DAYS", "visit"), Period("account"))),
        Kind("watches", (Period("days", 365, "asked"),)),
        Kind("order", (accounts, _days("KEEP_UNPAID_DAYS", "unpaid"))),
        Kind("contact", (_days("KEEP_CONTACT_DAYS", "ended"),)),
        Kind("trail", (_days("KEEP_TRAIL_DAYS", "written"),)),
        Kind("claims", (_days("KEEP_CLAIM_DAYS", "answered"),)),
        Kind("files", (_days("KEEP_FILE_DAYS", "answered"),)),
        Kind("identified", (_days("KEEP_CALL_DAYS", "call"),)),
        Kind("payment", (accounts, _days("KEEP_BANK_DAYS", "bank"))),
        Kind("messages", (_days("KEEP_MESSAGE_DAYS", "sent"),)),
        Kind("numbers", (Period("numbers"), day)),
        Kind("operator", (Period("operator"), _days("KEEP_HOLDER_DAYS", "given_up"))),
        Kind("told", (_days("KEEP_EVENT_DAYS", "sent"),)),
        Kind("club", (Period("membership"), _days("KEEP_CLUB_DAYS", "used"))),
        Kind("inbound", (Period("days", 90, "sent"),)),
        Kind("consent", (Period("account"), _days("KEEP_CONSENT_DAYS", "over"))),
        Kind("refusal", (Period("refusal"),)),
        Kind("erasure", (_days("KEEP_CONSENT_DAYS", "over"),)),
        Kind("work", (Period("work"), _days("KEEP_TRAIL_DAYS", "written"))),
    ]


@dataclass(frozen=True)
class Declared:
    """What one table holds of people."""

    erased: str
    # Kind → column → what it holds.
    kinds: dict
    plain: frozenset
    hidden: frozenset
    staff: frozenset
    internal: frozenset
    # Of rows that an erased profile leaves behind, what is emptied at once.
    loose: frozenset
    # Nothing of the table is in the person's own download.
    withheld: bool

    @property
    def columns(self) -> set[str]:
        """All that are declared."""
        return {name for held in self.kinds.values() for name in held} | self.plain | self.hidden | self.staff


def _table(erased, plain="", *, hidden="", staff="", internal="", loose="", withheld=False, **kinds) -> Declared:
    held = {kind: dict(column.split(":") for column in columns.split()) for kind, columns in kinds.items()}
    return Declared(
        erased,
        held,
        frozenset(plain.split()),
        frozenset(hidden.split()),
        frozenset(staff.split()),
        frozenset(internal.split()),
        frozenset(loose.split()),
        withheld,
    )


# Tables that say nothing of a person: the shop's own, and counts.
NOBODYS = _names(
    "catalogue_version brand device variant tariff tariff_price promotion gift listing club_rate partner "
    "partner_offer club_gift step_count shop_row watch_mark retention_run retention_permit"
)

# Tables of nothing but keys and times: nobody is told them, an authority neither.
KEYS = _names("second_factor recovery_code work_session security_code profile_link order_key")

# Columns of a person's tables that lead to a profile at work, not to whom the row is about.
WORKERS = frozenset({("voucher", "used_by"), ("gift_handout", "clerk"), ("desk_joining", "clerk")})

TABLES = {
    # The account
    "profile": _table(
        "blank",
        "created_at verified_at",
        hidden="session_number password_hash",
        account="email:email password_hash:password first_name:name last_name:name phone:phone language:language",
    ),
    "profile_link": _table(
        "delete", "purpose mails created_at expires_at used_at", hidden="code", account="email:email", withheld=True
    ),
    "registration": _table(
        "delete",
        "mails created_at expires_at used_at",
        hidden="code password_hash",
        registration="email:email password_hash:password first_name:name last_name:name language:language",
    ),
    "attempt": _table("delete", "at", attempts="key:network", withheld=True),
    "allowance": _table("delete", "place at", attempts="key:phone", withheld=True),
    "consent": _table("keep", "given kind channel at", consent="email:email wording:consent"),
    "erasure": _table(
        "keep",
        "asked_at expires_at confirmed_at due_at withdrawn_at done_at",
        hidden="code",
        erasure="mark:mark_of_email language:language",
    ),
    # Never over: it keeps mails from being written, and does nothing else.
    "refusal": _table("keep", "kind at", refusal="mark:mark_of_email"),
    # What somebody chooses
    "cart": _table("delete", "created_at seen_at", hidden="token", choice=""),
    "cart_line": _table(
        "delete", "choice contract_type payment parts quantity price_seen added_at", choice=""
    ),
    "checkout": _table(
        "delete",
        "payment_way points points_worth begun_at reached wish remind_in",
        hidden="key",
        choice="first_name:name last_name:name email:email phone:phone street:address municipality:address "
        "place:address postal_code:address note:note gift_note:note recipient:name",
    ),
    "cart_reminder": _table("delete", "last_line written_at", hidden="nonce", choice=""),
    "wish_list": _table("delete", "created_at seen_at", hidden="token share_token", wishes=""),
    "wish_line": _table("delete", "price_seen added_at", wishes=""),
    "watch": _table(
        "delete",
        "kind segment price state fresh created_at expires_at",
        hidden="code",
        watches="email:email language:language",
    ),
    "saved_address": _table(
        "delete",
        "is_default saved_at",
        hidden="digest",
        addresses="label:note street:address postal_code:address municipality:address",
    ),
    # Orders
    "order": _table(
        "cut",
        "number state total due_now points points_worth currency placed_at payable_until promised_on terms_edition "
        "wish",
        hidden="checkout_key",
        loose="note gift_note",
        contact="email:email phone:phone note:note gift_note:note language:language",
        order="first_name:name last_name:name street:address place:address municipality:address "
        "postal_code:address recipient:name signer:name",
    ),
    "pay_link": _table("keep", "made_at revoked_at", hidden="nonce", order=""),
    "parted_order": _table("keep", "at", order="", withheld=True),
    "order_line": _table(
        "keep",
        "position sku contract_type names colours storage_gb quantity price before picture gift tariff payment parts",
        order="msisdn:phone taken:phone",
    ),
    "order_event": _table("keep", "at state author", staff="who", internal="why", order="why:text"),
    "order_key": _table("keep", contact="key:name",  withheld=True),
    "order_note": _table("keep", "at role", hidden="key", staff="who", order="text:text", withheld=True),
    "cancellation": _table("keep", "at role", internal="why", order="why:text"),
    "stock_return": _table("keep", "expected_since arrived_at sellable", staff="who", order="", withheld=True),
    "order_points": _table("keep", "points worth state turns at", order=""),
    "delivery_attempt": _table(
        "keep",
        "number at outcome reason until authorised role",
        staff="who",
        internal="text",
        order="recipient:name document:document text:text",
    ),
    "arranged_time": _table("keep", "attempt day starts ends choices at role", staff="who", order=""),
    "document": _table(
        "keep", "kind about issue issued_at language layout sha256", order="content:document", hidden="made_of"
    ),
    "new_number": _table("keep", "state held_until", order="msisdn:phone"),
    "audit_entry": _table(
        "keep",
        "at role what",
        staff="who",
        internal="subject before after why",
        trail="subject:email before:text after:text why:text",
    ),
    "identification": _table("keep", "at role compared matched ended_at", staff="who", identified=""),
    "claim": _table(
        "keep",
        "kind about lines state opened_at role due_on answered_at returned_at",
        hidden="key",
        staff="answered_by",
        claims="text:text reply:text",
    ),
    "attachment": _table("keep", "kind size at", hidden="stored", files="name:file"),
    # Money
    "payment": _table(
        "keep", "oid amount state started_at settled_at ask_at asked auth_code trans_id reason", payment=""
    ),
    "refund": _table("keep", "amount state begun_at done_at try_at tries reason refused_at", payment=""),
    "bank_message": _table("keep", "at channel outcome detail", hidden="digest", payment="", withheld=True),
    "bill_payment": _table(
        "cut",
        "number state total begun_at payable_until paid_at",
        loose="email",
        payment="email:email language:language",
    ),
    "bill_payment_line": _table("keep", "number amount paid", payment=""),
    # Messages
    "mail": _table(
        "delete",
        "kind data state tries written_at due_at sent_at",
        hidden="key message_id",
        internal="trouble",
        messages="recipient:email language:language trouble:text",
    ),
    "sms": _table(
        "keep",
        "kind data state tries written_at due_at until sent_at report reported_at",
        hidden="key message_id",
        internal="trouble",
        messages="recipient:phone language:language trouble:text",
    ),
    "inbound_sms": _table("keep", "at", hidden="message", inbound="answer:text", withheld=True),
    # Numbers, and the operator's copy of subscribers
    "profile_number": _table("delete", "added_at", numbers=""),
    "number_claim": _table("delete", "began_at added_at", hidden="token proof back", numbers="msisdn:phone"),
    "security_code": _table(
        "delete",
        "genuine sent_at expires_at tries used_at",
        hidden="nonce",
        numbers="msisdn:phone",
        withheld=True,
    ),
    "holder": _table(
        "keep",
        "segment",
        operator="id_number:id_number first_name:name last_name:name company:company",
        withheld=True,
    ),
    "subscriber": _table("keep", "code since has_history", operator="", withheld=True),
    "number": _table("keep", "kind tariff active", internal="sim_end", operator="msisdn:phone sim_end:sim"),
    "fixed_service": _table("keep", "code kind package active", operator=""),
    "invoice": _table("keep", "issued_on due_on amount paid_at paid_through", operator="number:invoice"),
    "contract": _table(
        "keep", "code kind started_on ends_on price paid instalments instalments_paid ended", operator="device:device"
    ),
    "bss_known": _table("keep", "kind at", operator="key:phone", withheld=True),
    "bss_message": _table("keep", "kind result taken_at", hidden="message digest", operator="", withheld=True),
    "bss_event": _table(
        "keep",
        "uuid sequence kind version subject at state tries due_at sent_at unreachable_at trouble",
        told="payload:name",
        withheld=True,
    ),
    # The club
    "club_member": _table(
        "cut", "segment kind joined_at earns_from balance blocked_at ended_at", club="language:language"
    ),
    "club_entry": _table("keep", "kind points balance at about", hidden="key", club=""),
    "club_lot": _table("keep", "year usable_until points left", club=""),
    "club_movement": _table("keep", "points", club=""),
    "club_month": _table("keep", "month spent at", club=""),
    "club_topup": _table("keep", "reference package topped_up_at at", club=""),
    "club_notice": _table("keep", "usable_until step points at", club=""),
    "voucher": _table("keep", "channel until used_at", hidden="code used_key", club=""),
    "club_service": _table(
        "keep", "uuid what amount days channel state ordered_at active_at ends_at", club="msisdn:phone"
    ),
    "gift_handout": _table("keep", "points asked_at handed_at", hidden="token", club="msisdn:phone"),
    "desk_joining": _table("keep", "language asked_at joined_at", hidden="token", club="msisdn:phone"),
    # Who works here: a profile with a role erases nothing of itself.
    "staff": _table("keep", "role since", work=""),
    "second_factor": _table("delete", "since", hidden="nonce last_step", work="", withheld=True),
    "recovery_code": _table("keep", "used_at", hidden="digest", work="", withheld=True),
    "work_session": _table("delete", "began_at seen_at", hidden="key session_number", work="", withheld=True),
    "stock_movement": _table("keep", "at what change reason note stock role", hidden="key", staff="who", work=""),
    "device_draft": _table("keep", "slug base sheet begun_at changed_at", staff="who", work=""),
    "price_list_job": _table(
        "keep",
        "name size digest skip_bad complete state begun_at changed_at role counts bad bad_count recounted",
        hidden="token",
        staff="who",
        work="",
    ),
}  # fmt: skip


def untold(table: str) -> frozenset:
    """The columns of `table` that nobody outside is told."""
    declared = TABLES[table]
    return declared.hidden | declared.staff


def tables_of(kind: str) -> list[str]:
    """The tables that hold something of `kind`."""
    return [name for name, declared in TABLES.items() if kind in declared.kinds]


def held_in(kind: str) -> list[str]:
    """What of DATA the tables hold of `kind`, each once, in the order of the tables."""
    held = (what for declared in TABLES.values() for what in declared.kinds.get(kind, {}).values())
    return list(dict.fromkeys(held))


# Cookie → what keeps it: a setting, or days; nothing: until the browser is closed.
COOKIES = {
    "cart": "CART_DAYS",
    "session": 0,
    "remember_token": "REMEMBER_DAYS",
    "deshirat": "WISH_DAYS",
    "krahaso": 30,
    "pare": 30,
}
