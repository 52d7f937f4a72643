"""The shop's nouns, one per file; MODELS lists every table in the order of its foreign keys."""

from models.bill_payment import BillPayment, BillPaymentLine
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
from models.order import Order, OrderEvent, OrderLine
from models.outbox import Mail
from models.payment import BankMessage, Payment, Refund
from models.profile import Attempt, Profile
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
]
