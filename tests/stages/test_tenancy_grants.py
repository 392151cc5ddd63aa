"""What a role gives, and that nobody hands out more than that; and how people's passwords are checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from postroom.store.memberships import Membership
from postroom.tenancy import passwords
from postroom.tenancy.grants import Grant
from postroom.types.permissions import PERMISSIONS, Permission, Role

PAGE = Path(__file__).parents[2] / "docs" / "users.md"
NAMES = st.frozensets(st.sampled_from(["a" * 16, "b" * 16, "c" * 16]))
GRANTS = st.builds(
    Grant,
    role=st.sampled_from(Role),
    chosen=st.frozensets(st.sampled_from(Permission), max_size=4),
    domains=st.none() | NAMES,
    templates=NAMES,
    requires_periodic_password_change=st.booleans(),
)


def stored(grant: Grant) -> Grant:
    return Grant.of(Membership("a" * 16, "b" * 16, **grant.columns(), created_at=1, updated_at=1))


@given(GRANTS)
def test_a_grant_is_kept_as_it_is(grant: Grant) -> None:
    """For other roles than Custom User there is nothing more to keep."""
    found = stored(grant)
    assert stored(found) == found
    assert found.permissions == grant.permissions
    if grant.role is Role.CUSTOM_USER:
        assert found == grant


@given(GRANTS, GRANTS)
def test_u06_nobody_hands_out_what_they_lack(mine: Grant, theirs: Grant) -> None:
    mine, theirs = stored(mine), stored(theirs)
    if mine.role is Role.ADMIN:
        assert mine.covers(theirs)
    elif mine.covers(theirs):
        assert theirs.role is not Role.ADMIN
        assert theirs.permissions <= mine.permissions
        assert mine.domains is None or (theirs.domains is not None and theirs.domains <= mine.domains)


@given(GRANTS, GRANTS, GRANTS)
def test_u06_nor_by_a_friend(first: Grant, second: Grant, third: Grant) -> None:
    first, second, third = stored(first), stored(second), stored(third)
    if first.covers(second) and second.covers(third):
        assert first.covers(third)


def test_what_a_newer_version_wrote_gives_nothing() -> None:
    kept = Membership("a" * 16, "b" * 16, "Owner", "read-email read-minds", None, "", False, 1, 1)
    grant = Grant.of(kept)
    assert (grant.role, grant.permissions) == (Role.CUSTOM_USER, {Permission.READ_EMAIL})


def test_u07_the_table_of_the_docs_is_that_of_the_code() -> None:
    header, _, *rows = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    roles = [Role(cell.strip()) for cell in header.strip("|").split("|")[1:]]
    told: dict[Role, set[Permission]] = {role: set() for role in roles}
    for row in rows:
        name, *cells = [cell.strip(" `") for cell in row.strip("|").split("|")]
        for role, cell in zip(roles, cells, strict=True):
            if cell == "yes":
                told[role].add(Permission(name))
    assert told == {role: PERMISSIONS[role] for role in Role if role is not Role.CUSTOM_USER}
    assert len(rows) == len(Permission) == 36


@pytest.mark.parametrize(
    ("given_", "right"), [("correct horse", True), ("correct Horse", False), ("", False)]
)
async def test_passwords_of_people(given_: str, right: bool) -> None:
    kept = await passwords.hash_of_person("correct horse", "anna@example.com")
    assert kept.startswith("$argon2id$")
    assert await passwords.is_right(kept, given_) is right
    assert not await passwords.is_right("nonsense", given_)
    assert not await passwords.is_right("", given_)


def test_u10_who_does_not_exist_is_checked_as_long() -> None:
    assert not PasswordHasher().check_needs_rehash(passwords.NOBODYS_HASH)
