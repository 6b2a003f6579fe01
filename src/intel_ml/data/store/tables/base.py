"""What every table shares: names, moments, JSON, and checks that say what they guard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Account = Annotated[str, mapped_column(String(64), primary_key=True)]
Key = Annotated[str, mapped_column(String(64), primary_key=True)]
Serial = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Big = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """The base of all tables; constraint names are derived, so that errors can be read."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a class attribute
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
    }


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """Return the check that `column` holds one of `values` (or nothing, where it may be null)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def not_negative(*columns: str) -> list[CheckConstraint]:
    """Return, for each column, the check that it is finite and at least zero."""
    return [
        CheckConstraint(
            f"{column} >= 0 AND {column} < 'Infinity'::float8", name=f"{column}_not_negative"
        )
        for column in columns
    ]
