"""The shop's nouns, one per file; MODELS lists every table in the order of its foreign keys."""

from models.allowance import Allowance
from models.bill_payment import BillPayment, BillPaymentLine
from models.bss_event import BssEvent
from models.bss_known import BssKnown
from models.bss_push import BssMessage
from models.cart import Cart, CartLine
from models.catalogue import (
    Brand,
    CatalogueVersion,
    Device,
    Gift,
    Listing,
    Promotion,
    Tariff,
    TariffPrice,
    Variant,
)
from models.checkout import Checkout
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.number_claim import NumberClaim
from models.order import Order, OrderEvent, OrderLine
from models.outbox import Mail
from models.payment import BankMessage, Payment, Refund
from models.profile import Attempt, Profile
from models.profile_link import ProfileLink
from models.registration import Registration
from models.security_code import SecurityCode
from models.sms import Sms
from models.subscriber import Holder, Subscriber

MODELS = [
    CatalogueVersion,
    Brand,
    Device,
    Variant,
    Tariff,
    TariffPrice,
    Promotion,
    Gift,
    Listing,
    Profile,
    Attempt,
    Registration,
    ProfileLink,
    Cart,
    CartLine,
    Checkout,
    Order,
    OrderLine,
    OrderEvent,
    Mail,
    Holder,
    Subscriber,
    Number,
    ProfileNumber,
    Invoice,
    BillPayment,
    BillPaymentLine,
    Payment,
    Refund,
    BankMessage,
    Contract,
    NewNumber,
    Allowance,
    SecurityCode,
    Sms,
    NumberClaim,
    BssMessage,
    BssKnown,
    BssEvent,
]
