"""The bank's hosted payment page: NestPay "3D Pay Hosting" with hash version 3 (PAY-5, PAY-6, PAY-7, PAY-9).

Money goes in and comes out as whole minor units (1299900 is 12.999,00 den). Card data never pass through
here: the shopper types them on the bank's page, and what the bank echoes of them is dropped on reading.
"""

import base64
import enum
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from . import GatewayError

# ISO 4217 numbers; every one of these has two decimals, which amounts rely on.
CURRENCIES = {"MKD": "807", "EUR": "978", "ALL": "008", "RSD": "941", "BAM": "977", "USD": "840"}

_UNHASHED = {"hash", "encoding"}
_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
_CARD_LIKE = re.compile(r"\d(?:[ -]?[\d*]){11,}")
_3D_FAILED = frozenset({"0", "5", "6", "7", "8"})
_TAKEN = {"A", "C", "S"}
_FAILED = {"D", "ERR"}
_VOIDED = {"V", "CNCL"}
_LONGEST_REPLY = 256 * 1024


class ForgedMessage(Exception):
    """A message that the bank did not sign, or whose fields can be read in two ways (PAY-6)."""


class BankDeclined(GatewayError):
    """The bank understood a refund or a void and said no: nothing of it happened (PAY-9).

    Any other refusal (of the login, of the address the shop calls from) is about the shop's account there.
    """

    def __init__(self, message: str):
        super().__init__(message, permanent=True)


class Verdict(enum.Enum):
    """What a message or a status query means for one payment attempt."""

    PAID = "paid"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Message:
    """The bank's signed result as received, without card data. `amount` is in minor units.

    `digest` is the same for the same message however often it comes. `is_callback` repeats what the message
    says of itself; some banks say so in the browser's return as well, so it decides nothing.
    """

    oid: str
    client_id: str
    amount: int | None
    currency: str
    response: str
    proc_return_code: str
    md_status: str
    auth_code: str
    trans_id: str
    host_ref: str
    error: str
    is_callback: bool
    digest: str


@dataclass(frozen=True)
class Status:
    """What the bank's books say of one payment attempt. Amounts are in minor units.

    `captured` is what was taken from the card, `refunded` what of it went back. DECLINED also stands for
    money that went back whole, with `voided` or `refunded` to tell. UNKNOWN with a `captured` amount is a
    payment that the bank took with a 3-D Secure result (`md_status`) outside the accepted set.
    """

    verdict: Verdict
    oid: str
    captured: int | None = None
    refunded: int = 0
    voided: bool = False
    auth_code: str = ""
    trans_id: str = ""
    host_ref: str = ""
    md_status: str = ""
    error: str = ""


@dataclass(frozen=True)
class Receipt:
    """The bank's references for a refund or a void that it carried out."""

    auth_code: str
    trans_id: str
    host_ref: str


def ver3_text(fields: Mapping[str, str], store_key: str) -> str:
    """What hash version 3 is taken over: escaped values in the order of their names, then the store key."""
    names = sorted((name for name in fields if name.lower() not in _UNHASHED), key=str.lower)
    values = [fields[name] for name in names] + [store_key]
    return "|".join(value.replace("\\", "\\\\").replace("|", "\\|") for value in values)


def ver3_hash(fields: Mapping[str, str], store_key: str) -> str:
    """Hash version 3 in base64. Names are compared without case; `hash` and `encoding` stay out of it.

    It signs values, not names: whoever reads a message must still check each value that matters (PAY-6).
    """
    text = ver3_text(fields, store_key)
    return base64.b64encode(hashlib.sha512(text.encode("utf-8", "surrogatepass")).digest()).decode("ascii")


def to_major(amount: int) -> str:
    """Minor units as the bank writes them: 1299900 is "12999.00"."""
    return f"{amount // 100}.{amount % 100:02d}"


def to_minor(text: str) -> int | None:
    """The bank's "12999.00" in minor units, None for anything that is not plainly an amount."""
    match = _AMOUNT.fullmatch(text)
    if not match:
        return None
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def _one_line(text: str) -> str:
    # Browsers rewrite line breaks in posted fields, which would break the hash.
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:255]


def _without_card(text: str) -> str:
    return _CARD_LIKE.sub("…", _one_line(text))


def _minor_digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


@dataclass(frozen=True)
class Bank:
    """One merchant's account at the bank. Secrets stay out of its representation."""

    gate_url: str
    api_url: str
    client_id: str
    store_key: str = field(repr=False)
    api_user: str = field(repr=False)
    api_password: str = field(repr=False)
    currency: str = "MKD"
    accepted_md_status: frozenset[str] = frozenset({"1"})
    reply: str = "Approved"
    timeout: float = 10.0

    def __post_init__(self):
        if self.currency not in CURRENCIES:
            raise ValueError(f"no ISO number known for the currency {self.currency!r}")

    @property
    def currency_number(self) -> str:
        """The ISO number of the account's currency: MKD is 807."""
        return CURRENCIES[self.currency]

    def payment_form(
        self,
        oid: str,
        amount: int,
        return_url: str,
        callback_url: str,
        language: str,
        nonce: str,
        bill_to: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """The signed fields that the shopper's browser posts to `gate_url` (PAY-5).

        `amount` is in minor units and above zero, else ValueError. `oid` is new for each attempt, `nonce` for
        each form. `bill_to` may hold `name`, `email` and `phone`.
        """
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise ValueError(f"an amount in whole minor units above zero is needed, not {amount!r}")
        fields = {
            "clientid": self.client_id,
            "storetype": "3d_pay_hosting",
            "TranType": "Auth",
            "amount": to_major(amount),
            "currency": self.currency_number,
            "oid": oid,
            "okUrl": return_url,
            "failUrl": return_url,
            "callbackUrl": callback_url,
            "refreshtime": "5",
            "lang": language,
            "rnd": nonce,
            "Instalment": "",
            "hashAlgorithm": "ver3",
        }
        bill_to = bill_to or {}
        for name, key in (("BillToName", "name"), ("email", "email"), ("tel", "phone")):
            if value := _one_line(bill_to.get(key) or ""):
                fields[name] = value
        fields["hash"] = ver3_hash(fields, self.store_key)
        fields["encoding"] = "UTF-8"
        return fields

    def read(self, fields: Mapping[str, str]) -> Message:
        """The bank's posted result, once its signature holds (PAY-6). Takes a plain dict or a MultiDict.

        Raises ForgedMessage when the hash is missing or wrong, or when a name comes twice, in whatever case.
        """
        pairs: Iterable = fields.items(multi=True) if hasattr(fields, "getlist") else fields.items()
        received: dict[str, str] = {}
        for name, value in pairs:
            if name.lower() in received:
                raise ForgedMessage("a field is given twice")
            received[name.lower()] = value
        given = received.get("hash", "")
        if not given:
            raise ForgedMessage("the hash is missing")
        expected = ver3_hash(received, self.store_key)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
            raise ForgedMessage("the hash is wrong")

        def get(name):
            return received.get(name, "")

        # A message that names two orders belongs to none.
        oid = get("oid") if get("returnoid") in ("", get("oid")) else ""
        signed = sorted((name, value) for name, value in received.items() if name not in _UNHASHED)
        digest = hashlib.sha256(repr(signed).encode()).hexdigest()
        return Message(
            oid=oid,
            client_id=get("clientid"),
            amount=to_minor(get("amount")),
            currency=get("currency"),
            response=get("response"),
            proc_return_code=get("procreturncode"),
            md_status=get("mdstatus"),
            auth_code=get("authcode"),
            trans_id=get("transid"),
            host_ref=get("hostrefnum"),
            error=_without_card(get("errmsg") or get("mderrormsg")),
            is_callback=get("callbackcall").lower() == "true",
            digest=digest,
        )

    def verdict(self, message: Message, oid: str, amount: int) -> Verdict:
        """What a signed message means for our attempt `oid` over `amount` minor units (PAY-6).

        MISMATCH: client, order, amount or currency are not ours. PAID and DECLINED are final; UNKNOWN is for
        the status query to settle.
        """
        ours = (self.client_id, oid, amount, self.currency_number)
        if (message.client_id, message.oid, message.amount, message.currency) != ours:
            return Verdict.MISMATCH
        if message.response == "Approved":
            paid = message.proc_return_code == "00" and message.md_status in self.accepted_md_status
            return Verdict.PAID if paid else Verdict.UNKNOWN
        if message.response == "Declined" and message.proc_return_code not in ("", "00"):
            return Verdict.DECLINED
        # When 3-D Secure fails, some banks never reach the card and leave both fields out.
        never_tried = not message.response and not message.proc_return_code
        if never_tried and message.md_status in _3D_FAILED:
            return Verdict.DECLINED
        # "Error" also answers a second attempt on an order that is paid, so it never means declined.
        return Verdict.UNKNOWN

    def status(self, oid: str) -> Status:
        """Ask the bank's books for an attempt (PAY-7). Raises GatewayError when they cannot be read."""
        reply = self._ask(oid, {"Extra": {"ORDERSTATUS": "QUERY"}})
        extra = self._order_status(reply)
        error = _without_card(reply.findtext("ErrMsg") or "")
        state = extra.get("TRANS_STAT", "")
        response = reply.findtext("Response") or ""
        code = reply.findtext("ProcReturnCode") or ""
        if not state:
            if response == "Declined" and code == "99":
                return Status(Verdict.NOT_FOUND, oid, error=error)
            if response == "Approved":
                return Status(Verdict.UNKNOWN, oid, error=error)
            raise GatewayError(f"the bank refused the status query: {code} {error}", permanent=True)

        named = extra.get("ORD_ID") or reply.findtext("OrderId") or ""
        if named != oid:
            raise GatewayError("the bank answered about another order", permanent=False)
        taken = _minor_digits(extra.get("ORIG_TRANS_AMT", ""))
        captured, refunded = _minor_digits(extra.get("CAPTURE_AMT", "")) or taken, 0
        refund_record = extra.get("CHARGE_TYPE_CD") == "C"
        if refund_record:
            captured, refunded = taken, captured or 0
        md_status = extra.get("MDSTATUS", "")
        verdict = Verdict.UNKNOWN
        # The outer ProcReturnCode only says that a record was found.
        if extra.get("PROC_RET_CD") == "00" and state in _TAKEN:
            # Money that went back whole is no payment, whatever 3-D Secure said of it.
            if captured and refunded >= captured:
                verdict = Verdict.DECLINED
            elif captured and (not md_status or md_status in self.accepted_md_status):
                verdict = Verdict.PAID
        else:
            captured, refunded = None, 0
            # A refund that failed says nothing of the sale before it.
            if state in _FAILED | _VOIDED and not refund_record:
                verdict = Verdict.DECLINED
        return Status(
            verdict,
            oid,
            captured=captured,
            refunded=refunded,
            voided=state in _VOIDED and not refund_record,
            auth_code=extra.get("AUTH_CODE") or reply.findtext("AuthCode") or "",
            trans_id=extra.get("TRANS_ID") or reply.findtext("TransId") or "",
            host_ref=extra.get("HOST_REF_NUM") or reply.findtext("HostRefNum") or "",
            md_status=md_status,
            error="" if verdict is Verdict.PAID else error,
        )

    def refund(self, oid: str, amount: int) -> Receipt:
        """Give `amount` minor units of a paid attempt back to the card (PAY-9).

        Raises GatewayError: permanent when the bank refuses, and BankDeclined when it refuses this refund in
        particular. After any other, the refund may have happened all the same: compare `status(oid).refunded`
        before asking again, or it may be given twice.
        """
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise ValueError(f"an amount in whole minor units above zero is needed, not {amount!r}")
        action = {"Type": "Credit", "Total": to_major(amount), "Currency": self.currency_number}
        return self._carried_out(oid, self._ask(oid, action))

    def void(self, oid: str) -> Receipt:
        """Cancel a paid attempt before the bank settles the day. Raises GatewayError as `refund` does."""
        return self._carried_out(oid, self._ask(oid, {"Type": "Void"}))

    def _carried_out(self, oid, reply) -> Receipt:
        response, code = reply.findtext("Response") or "", reply.findtext("ProcReturnCode") or ""
        if response != "Approved" or code != "00":
            error = f"the bank refused: {code} {_without_card(reply.findtext('ErrMsg') or '')}"
            if response == "Declined" and code not in ("", "00") and (reply.findtext("OrderId") or oid) == oid:
                raise BankDeclined(error)
            raise GatewayError(error, permanent=True)
        if (reply.findtext("OrderId") or oid) != oid:
            raise GatewayError("the bank answered about another order", permanent=False)
        return Receipt(
            reply.findtext("AuthCode") or "",
            reply.findtext("TransId") or "",
            reply.findtext("HostRefNum") or "",
        )

    def _ask(self, oid, action):
        root = ET.Element("CC5Request")
        identity = {
            "Name": self.api_user,
            "Password": self.api_password,
            "ClientId": self.client_id,
            "OrderId": oid,
        }
        for name, value in {**identity, **action}.items():
            element = ET.SubElement(root, name)
            if isinstance(value, dict):
                for inner, text in value.items():
                    ET.SubElement(element, inner).text = text
            else:
                element.text = value
        body = '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode")
        return self._parse(self._post(body))

    def _post(self, body: str) -> bytes:
        # Half of a web process's memory when imported, and web processes never ask: the worker does.
        import requests
        import urllib3

        with requests.Session() as session:
            # A proxy of the machine is right for the bank, never for its stand-in on loopback.
            session.trust_env = urlsplit(self.api_url).hostname not in ("127.0.0.1", "::1", "localhost")
            content, deadline = b"", time.monotonic() + 3 * self.timeout
            try:
                reply = session.post(
                    self.api_url,
                    data={"DATA": body},
                    timeout=self.timeout,
                    allow_redirects=False,
                    stream=True,
                )
                while chunk := reply.raw.read1(16 * 1024, decode_content=True):
                    content += chunk
                    # The timeout counts anew with each byte; a partner that drips must not hold a worker.
                    if len(content) > _LONGEST_REPLY or time.monotonic() > deadline:
                        raise GatewayError("the bank's answer does not end", permanent=False)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise GatewayError(f"the bank cannot be reached: {type(error).__name__}", permanent=False) from error
        if reply.status_code != 200:
            # Only what says that the request itself is wrong is worth no second try.
            permanent = 300 <= reply.status_code < 500 and reply.status_code not in (408, 425, 429)
            raise GatewayError(f"the bank answered with HTTP {reply.status_code}", permanent=permanent)
        return content

    @staticmethod
    def _parse(content: bytes):
        try:
            root = fromstring(content, forbid_dtd=True)
        except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise GatewayError("the bank's answer is no valid XML", permanent=False) from error
        if root.tag != "CC5Response":
            raise GatewayError(f"the bank's answer is a {_without_card(root.tag)[:40]}", permanent=False)
        return root

    @staticmethod
    def _order_status(reply) -> dict[str, str]:
        extra = reply.find("Extra")
        if extra is None:
            return {}
        found = {child.tag: (child.text or "").strip() for child in extra}
        # Some versions of the bank's software give the values in one tab-separated line only.
        line = dict(part.split(":", 1) for part in found.get("ORDERSTATUS", "").split("\t") if ":" in part)
        return {
            **{name: value.strip() for name, value in line.items()},
            **{k: v for k, v in found.items() if v},
        }
