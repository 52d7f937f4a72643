"""The shop's nouns, one per file; MODELS lists every table in the order of its foreign keys."""

from models.allowance import Allowance
from models.attachment import Attachment
from models.bill_payment import BillPayment, BillPaymentLine
from models.bss_event import BssEvent
from models.bss_known import BssKnown
from models.bss_push import BssMessage
from models.cancellation import Cancellation
from models.cart import Cart, CartLine
from models.cart_reminder import CartReminder
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
from models.claim import Claim
from models.club_ledger import ClubEntry, ClubLot, ClubMovement
from models.club_member import ClubMember, FixedService
from models.club_month import ClubMonth, ClubTopup
from models.club_notice import ClubNotice
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import Rate
from models.club_service import ClubService
from models.consent import Consent
from models.contract import Contract
from models.delivery import ArrangedTime, DeliveryAttempt
from models.desk_joining import DeskJoining
from models.device_draft import DeviceDraft
from models.document import Document
from models.erasure import Erasure
from models.gift_handout import GiftHandout
from models.identification import Identification
from models.inbound_sms import InboundSms
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.number_claim import NumberClaim
from models.order import Order, OrderEvent, OrderLine
from models.order_key import OrderKey
from models.order_note import OrderNote
from models.order_points import OrderPoints
from models.outbox import Mail
from models.parted_order import PartedOrder
from models.pay_link import PayLink
from models.payment import BankMessage, Payment, Refund
from models.price_list_job import PriceListJob
from models.profile import Attempt, Profile
from models.profile_link import ProfileLink
from models.refusal import Refusal
from models.registration import Registration
from models.retention import RetentionPermit, RetentionRun
from models.saved_address import SavedAddress
from models.second_factor import RecoveryCode, SecondFactor, WorkSession
from models.security_code import SecurityCode
from models.shop_row import ShopRow
from models.sms import Sms
from models.staff import Staff
from models.step_count import StepCount
from models.stock_movement import StockMovement
from models.stock_return import StockReturn
from models.subscriber import Holder, Subscriber
from models.trail import AuditEntry
from models.voucher import Voucher
from models.watch import Watch, WatchMark
from models.wish import WishLine, WishList

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
    WishList,
    WishLine,
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
    PayLink,
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
    Rate,
    FixedService,
    ClubMember,
    ClubEntry,
    ClubLot,
    ClubMovement,
    ClubMonth,
    ClubTopup,
    ClubNotice,
    Partner,
    PartnerOffer,
    ClubGift,
    Voucher,
    ClubService,
    OrderPoints,
    GiftHandout,
    DeskJoining,
    Staff,
    SecondFactor,
    RecoveryCode,
    WorkSession,
    InboundSms,
    Consent,
    CartReminder,
    AuditEntry,
    Cancellation,
    StockReturn,
    OrderKey,
    Identification,
    OrderNote,
    Claim,
    Attachment,
    StepCount,
    DeliveryAttempt,
    ArrangedTime,
    DeviceDraft,
    StockMovement,
    PriceListJob,
    Watch,
    WatchMark,
    ShopRow,
    SavedAddress,
    Document,
    Erasure,
    Refusal,
    PartedOrder,
    RetentionRun,
    RetentionPermit,
]
