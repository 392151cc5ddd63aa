"""What the tables are made of. Milliseconds everywhere; ids as the API shows them: 16 characters for configuration, 24 hex
for mail."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def object_id(name: str = "id", *, primary_key: bool = False) -> Column[str]:
    return Column(name, String(16), nullable=False, primary_key=primary_key)


def mail_id(name: str = "id", *, primary_key: bool = False) -> Column[str]:
    return Column(name, String(24), nullable=False, primary_key=primary_key)


def at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def flag(name: str, *, default: bool) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def words(name: str, length: int | None = None) -> Column[str]:
    return Column(name, String(length) if length else Text, nullable=False, server_default=text("''"))
