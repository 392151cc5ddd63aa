"""Users and invites by the libraries' own methods, parsed by the models they bring along."""

from __future__ import annotations

from typing import Any

import pytest
from mailersend import UsersBuilder
from mailersend.exceptions import BadRequestError, ResourceNotFoundError
from mailersend.models.users import User, UserInvite

from postroom.store.database import Database
from postroom.tenancy.grants import Grant
from support import people
from support.sdk.node import NodeError, NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene


def somebody(scene: Scene, grant: Grant | None = None) -> str:
    """The id of a user of the scene's account."""

    async def make(database: Database) -> str:
        return (await people.make(database, scene.account.tenant.account_id, grant)).id

    return scene.world.run(make)


def test_python_invites(scene: Scene, python_sdk: PythonSdk) -> None:
    users = python_sdk.client.users
    builder = UsersBuilder().email("python@example.com").role("Custom User")
    builder.permissions(["read-email", "read-own-templates"]).domains([scene.account.domain_id])
    answer = users.invite_user(builder.requires_periodic_password_change(True).build_user_invite())
    invite = UserInvite(**answer["data"])
    assert (answer.status_code, invite.email, invite.role) == (201, "python@example.com", "Custom User")
    assert (invite.permissions, invite.requires_periodic_password_change) == (
        ["read-own-templates", "read-email"],
        True,
    )
    assert invite.data is not None
    assert invite.data.domains == [scene.account.domain_id]
    listed = users.list_invites(UsersBuilder().limit(100).build_invites_list())
    assert invite in [UserInvite(**row) for row in listed["data"]]
    one = UsersBuilder().invite_id(invite.id)
    assert UserInvite(**users.get_invite(one.build_invite_get())["data"]) == invite
    again = UserInvite(**users.resend_invite(one.build_invite_resend())["data"])
    assert (again.id, again.email) == (invite.id, invite.email)
    assert users.cancel_invite(one.build_invite_cancel()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        users.get_invite(one.build_invite_get())


def test_python_manages_users(scene: Scene, python_sdk: PythonSdk) -> None:
    users, user_id = python_sdk.client.users, somebody(scene)
    somebody(scene)  # an Admin stays
    listed = users.list_users(UsersBuilder().limit(100).build_users_list())
    assert user_id in {User(**row).id for row in listed["data"]}
    one = UsersBuilder().user_id(user_id)
    assert User(**users.get_user(one.build_user_get())["data"]).role == "Admin"
    update = UsersBuilder().user_id(user_id).role("Custom User").permissions(["read-activity"])
    changed = User(**users.update_user(update.domains([scene.account.domain_id]).build_user_update())["data"])
    assert (changed.role, changed.permissions) == ("Custom User", ["read-activity"])
    assert [domain.id for domain in changed.domains] == [scene.account.domain_id]
    wrong = UsersBuilder().user_id(user_id).role("Owner").build_user_update()
    with pytest.raises(BadRequestError, match="The selected role is invalid"):
        users.update_user(wrong)
    assert users.delete_user(one.build_user_delete()).status_code == 204
    with pytest.raises(ResourceNotFoundError):
        users.get_user(one.build_user_get())


def test_node_invites(scene: Scene, node_sdk: NodeSdk) -> None:
    body: dict[str, Any] = {"email": "node@example.com", "role": "Manager"}
    made = node_sdk.call("user.create", body)
    assert made["statusCode"] == 201
    invite = made["body"]["data"]
    assert invite.items() >= body.items()
    assert invite["data"] == {"domains": [], "templates": []}
    assert invite["id"] in {
        row["id"] for row in node_sdk.call("user.listInvites", {"limit": 100})["body"]["data"]
    }
    assert node_sdk.call("user.singleInvite", invite["id"])["body"]["data"] == invite
    assert node_sdk.call("user.resendInvite", invite["id"])["statusCode"] == 200
    assert node_sdk.call("user.deleteInvite", invite["id"])["statusCode"] == 204
    with pytest.raises(NodeError) as thrown:
        node_sdk.call("user.singleInvite", invite["id"])
    assert thrown.value.status == 404


def test_node_manages_users(scene: Scene, node_sdk: NodeSdk) -> None:
    user_id = somebody(scene)
    somebody(scene)
    assert user_id in {row["id"] for row in node_sdk.call("user.list", {"limit": 100})["body"]["data"]}
    assert node_sdk.call("user.single", user_id)["body"]["data"]["role"] == "Admin"
    grant = {"role": "Custom User", "permissions": ["read-email"], "domains": [scene.account.domain_id]}
    changed = node_sdk.call("user.update", user_id, grant)["body"]["data"]
    assert (changed["role"], changed["permissions"]) == ("Custom User", ["read-email"])
    with pytest.raises(NodeError) as thrown:
        node_sdk.call("user.update", user_id, {"role": "Custom User", "permissions": []})
    assert thrown.value.body["errors"] == {
        "permissions": ["The permissions field is required when role is custom user. #MS42232"]
    }
    assert node_sdk.call("user.delete", user_id)["statusCode"] == 204
