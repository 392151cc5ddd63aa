"""What a person is given in an account: a role, and for a Custom User chosen permissions, domains and templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from postroom.store.invites import Invite
from postroom.store.memberships import Membership
from postroom.types.permissions import PERMISSIONS, Permission, Role


@dataclass(frozen=True, slots=True)
class Grant:
    """`chosen`, `domains` and `templates` are for a Custom User only. `domains` None: all of the account.

    `templates` are those that `read-own-templates` lets see; `read-all-templates` needs no list.
    """

    role: Role
    chosen: frozenset[Permission] = frozenset()
    domains: frozenset[str] | None = None
    templates: frozenset[str] = frozenset()
    requires_periodic_password_change: bool = False

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.chosen if self.role is Role.CUSTOM_USER else PERMISSIONS[self.role]

    @property
    def visible_templates(self) -> frozenset[str] | None:
        """None: all of the account."""
        return None if Permission.READ_ALL_TEMPLATES in self.permissions else self.templates

    def covers(self, other: Grant) -> bool:
        """Whether who has this may give or take `other`: nobody hands out more than he has. Admins are for Admins."""
        if self.role is Role.ADMIN:
            return True
        return (
            other.role is not Role.ADMIN
            and other.permissions <= self.permissions
            and _within(other.domains, self.domains)
            and _within(other.visible_templates, self.visible_templates)
        )

    def columns(self) -> dict[str, Any]:
        """As memberships and invites keep it."""
        custom = self.role is Role.CUSTOM_USER
        return {
            "role": self.role.value,
            "permissions": " ".join(one for one in Permission if one in self.chosen) if custom else "",
            "domains": " ".join(sorted(self.domains)) if custom and self.domains is not None else None,
            "templates": " ".join(sorted(self.templates)) if custom else "",
            "requires_periodic_password_change": self.requires_periodic_password_change,
        }

    @classmethod
    def of(cls, kept: Membership | Invite) -> Grant:
        """What only a newer version knows is left out; a role that it made gives nothing."""
        return cls(
            role=next((role for role in Role if role == kept.role), Role.CUSTOM_USER),
            chosen=frozenset(one for one in Permission if one in kept.permissions.split()),
            domains=None if kept.domains is None else frozenset(kept.domains.split()),
            templates=frozenset(kept.templates.split()),
            requires_periodic_password_change=kept.requires_periodic_password_change,
        )


def _within(narrow: frozenset[str] | None, wide: frozenset[str] | None) -> bool:
    return wide is None or (narrow is not None and narrow <= wide)
