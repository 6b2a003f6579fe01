"""People, the ad accounts they may see, and the tokens that speak for them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store.tables.base import Account, Base, Big, Moment, Serial, one_of


class User(Base):
    """A person who can log in."""

    __tablename__ = "intel_user"

    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class AdAccount(Base):
    """One ad account and how it is to be run; `source` is api or file."""

    __tablename__ = "intel_ad_account"
    __table_args__ = (
        one_of("mode", list(Mode)),
        one_of("source", ["api", "file"]),
        CheckConstraint("currency_offset IN (1, 100)", name="currency_offset_known"),
        CheckConstraint("target_cpa_minor > 0", name="target_cpa_positive"),
        CheckConstraint("target_roas > 0", name="target_roas_positive"),
    )

    ad_account_id: Mapped[Account]
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    currency_offset: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str] = mapped_column(String(64))
    target_cpa_minor: Mapped[Big | None]
    target_roas: Mapped[float | None] = mapped_column(Float)
    mode: Mapped[str] = mapped_column(String(16), default=Mode.SHADOW)
    share_learning: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(8), default="api")
    onboarded_at: Mapped[Moment]


class Membership(Base):
    """What a person may do with an account."""

    __tablename__ = "intel_membership"
    __table_args__ = (one_of("role", list(Role)),)

    ad_account_id: Mapped[Account] = mapped_column(ForeignKey("intel_ad_account.ad_account_id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("intel_user.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))


class ApiToken(Base):
    """A bearer token, kept only as the SHA-256 of itself."""

    __tablename__ = "intel_api_token"
    __table_args__ = (UniqueConstraint("token_sha256"),)

    id: Mapped[Serial]
    user_id: Mapped[int] = mapped_column(ForeignKey("intel_user.id"))
    name: Mapped[str] = mapped_column(String(120))
    token_sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
