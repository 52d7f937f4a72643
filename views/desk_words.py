"""What people at work read for the codes of an order: payments, attempts, messages, claims."""

from models.payment_ways import CARD, FIRST_BILL
from views.forms import lazy_gettext
from views.words import gettext

PAYMENT_STATES = {
    "started": lazy_gettext("nisur te banka"),
    "paid": lazy_gettext("e miratuar"),
    "declined": lazy_gettext("e refuzuar"),
    "unknown": lazy_gettext("pa përgjigje të qartë"),
    "abandoned": lazy_gettext("e braktisur"),
    "surplus": lazy_gettext("e tepërt, kthehet"),
}
REFUND_STATES = {
    "due": lazy_gettext("pret bankën"),
    "done": lazy_gettext("u krye"),
    "refused": lazy_gettext("e refuzuar nga banka"),
}
POINTS_STATES = {
    "held": lazy_gettext("të mbajtura"),
    "taken": lazy_gettext("të zbritura"),
    "returned": lazy_gettext("të kthyera"),
    "lost": lazy_gettext("të humbura me ndërrimin e tarifës ose të poseduesit"),
}
# Why an attempt failed, as the courier wrote it down.
ATTEMPTS = {
    "no_answer": lazy_gettext("pa përgjigje"),
    "not_home": lazy_gettext("nuk ishte në adresë"),
    "refused": lazy_gettext("nuk e pranoi"),
    "wrong_address": lazy_gettext("adresë e gabuar"),
    "no_id": lazy_gettext("pa dokument"),
    "no_authorisation": lazy_gettext("pa autorizim"),
    "other": lazy_gettext("arsye tjetër"),
}
DOCUMENTS = {
    "id_card": lazy_gettext("letërnjoftim"),
    "passport": lazy_gettext("pasaportë"),
    "driving_licence": lazy_gettext("patentë shoferi"),
}
MESSAGES = {
    "order_confirmed": lazy_gettext("Porosia u konfirmua"),
    "payment_failed": lazy_gettext("Pagesa nuk u krye"),
    "pay_link": lazy_gettext("Lidhja për pagesë"),
    "order_lapsed": lazy_gettext("Porosia skadoi"),
    "payment_returned": lazy_gettext("Paratë u kthyen"),
    "order_changed": lazy_gettext("Porosia u ndryshua"),
    "order_cancelled": lazy_gettext("Porosia u anulua"),
    "claim_received": lazy_gettext("Kërkesa u pranua"),
    "claim_answered": lazy_gettext("Përgjigje kërkesës"),
    "on_its_way": lazy_gettext("Te korrieri"),
    "attempt_failed": lazy_gettext("Dorëzimi nuk u krye"),
    "time_arranged": lazy_gettext("Koha e dorëzimit"),
    "delivered": lazy_gettext("U dorëzua"),
    "returned": lazy_gettext("Porosia u kthye"),
    "money_back": lazy_gettext("Kthimi i parave"),
}
MESSAGE_STATES = {
    "due": lazy_gettext("pret të dërgohet"),
    "handed": lazy_gettext("iu dha serverit"),
    "sent": lazy_gettext("u dërgua"),
    "failed": lazy_gettext("nuk u dërgua"),
    "withheld": lazy_gettext("nuk dërgohet"),
}
# How a message went out, and what a caller was asked.
CHANNELS = {"mail": lazy_gettext("e-postë"), "sms": lazy_gettext("SMS")}
COMPARED = {
    "id_number": lazy_gettext("numri amë"),
    "sim": lazy_gettext("shifrat e SIM-it"),
    "contact": lazy_gettext("e-posta dhe telefoni"),
}
CLAIMS = {"complaint": lazy_gettext("Ankesë"), "withdrawal": lazy_gettext("Tërheqje nga blerja")}
ABOUT = {
    "not_received": lazy_gettext("e paguar, por e pamarrë"),
    "late": lazy_gettext("me vonesë"),
    "other": lazy_gettext("tjetër"),
    "changed_mind": lazy_gettext("ndërroi mendje"),
    "not_as_described": lazy_gettext("nuk është si në përshkrim"),
    "wrong_item": lazy_gettext("erdhi pajisje tjetër"),
    "no_reason": lazy_gettext("pa arsye"),
}
CLAIM_STATES = {
    "open": lazy_gettext("Pret përgjigje"),
    "answered": lazy_gettext("U përgjigj"),
    "accepted": lazy_gettext("E pranuar, pritet kthimi"),
    "refused": lazy_gettext("E refuzuar"),
    "returned": lazy_gettext("U kthye"),
}
CLAIM_TONES = {"open": "warn", "answered": "ok", "accepted": "info", "refused": "bad", "returned": "ok"}


def way_name(way: str, parts: int | None = None) -> str:
    """A way of payment in a word: "Kartelë", "Fatura e parë", "24 këste"."""
    if way == CARD:
        return gettext("Kartelë")
    if way == FIRST_BILL or parts == 1:
        return gettext("Fatura e parë")
    return gettext("%(parts)d këste", parts=parts)


def _named(words: dict):
    def name(code: str) -> str:
        return str(words[code]) if code in words else code.replace("_", " ")

    return name


def register(app) -> None:
    """The filters of the desk's templates, such as `payment.state|payment_state_name`."""
    app.jinja_env.filters.update(
        way_name=way_name,
        payment_state_name=_named(PAYMENT_STATES),
        refund_state_name=_named(REFUND_STATES),
        points_state_name=_named(POINTS_STATES),
        attempt_reason_name=_named(ATTEMPTS),
        document_kind_name=_named(DOCUMENTS),
        message_name=_named(MESSAGES),
        message_state_name=_named(MESSAGE_STATES),
        claim_name=_named(CLAIMS),
        claim_about_name=_named(ABOUT),
        claim_state_name=_named(CLAIM_STATES),
        claim_tone=lambda state: CLAIM_TONES.get(state, ""),
    )
