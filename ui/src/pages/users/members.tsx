import { ActionIcon, Group, Menu, Stack, Text } from "@mantine/core";
import { IconDots, IconPencil, IconUserMinus } from "@tabler/icons-react";
import { useState } from "react";
import { body, v1 } from "@/api/client";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { notifyDone } from "@/components/notify";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { useSession } from "@/session/session";
import { EditRole } from "./edit-role";

export type User = components["schemas"]["UserOut"];

export function fullName(user: { name: string; last_name: string; email: string }): string {
  return [user.name, user.last_name].filter(Boolean).join(" ") || user.email;
}

export function Members() {
  const list = useList(["users"], (page) => body(v1.GET("/users", { params: { query: { page } } })));
  const [edited, setEdited] = useState<User | null>(null);
  const remove = useChange(
    (user: User) => body(v1.DELETE("/users/{user_id}", { params: { path: { user_id: user.id } } })),
    { refresh: [["users"]], done: (_, user) => notifyDone(`${fullName(user)} is out of the account.`) },
  );
  const ask = (user: User) =>
    confirm({
      title: `Remove ${fullName(user)}?`,
      children: "They cannot see this account any more, within a second. Their other accounts stay.",
      confirm: "Remove",
      onConfirm: () => remove.mutate(user),
    });
  return (
    <>
      <ListTable
        list={list}
        label="Users"
        rowKey={(user) => user.id}
        columns={columns(setEdited, ask)}
        empty={<Empty title="Nobody is here" />}
      />
      <EditRole user={edited} close={() => setEdited(null)} />
    </>
  );
}

function columns(edit: (user: User) => void, remove: (user: User) => void): Column<User>[] {
  return [
    { header: "Name", wide: true, cell: (user) => <Name user={user} /> },
    { header: "Role", cell: (user) => <Role user={user} /> },
    {
      header: "Two-factor",
      cell: (user) => (user["2fa"] ? <State kind="good">On</State> : <State kind="quiet">Off</State>),
    },
    { header: "Joined", cell: (user) => <Time at={user.created_at} /> },
    { header: "", cell: (user) => <Actions user={user} edit={edit} remove={remove} /> },
  ];
}

function Name({ user }: { user: User }) {
  const session = useSession();
  const name = fullName(user);
  return (
    <Stack gap={0}>
      <Group gap="xs">
        <Text size="sm" fw={550}>
          {name}
        </Text>
        {user.id === session.user.id && <State kind="quiet">You</State>}
      </Group>
      {name !== user.email && (
        <Text size="sm" c="dimmed">
          {user.email}
        </Text>
      )}
    </Stack>
  );
}

function Role({ user }: { user: User }) {
  const limits = [
    user.permissions.length && `${user.permissions.length} permissions`,
    user.domains.length && user.domains.map((domain) => domain.name).join(", "),
    user.templates.length &&
      (user.templates.length === 1 ? "1 template" : `${user.templates.length} templates`),
  ].filter(Boolean);
  return (
    <Stack gap={0}>
      <span>{user.role}</span>
      {limits.length > 0 && (
        <Text size="xs" c="dimmed">
          {limits.join(" · ")}
        </Text>
      )}
    </Stack>
  );
}

interface ActionsProps {
  user: User;
  edit: (user: User) => void;
  remove: (user: User) => void;
}

function Actions({ user, edit, remove }: ActionsProps) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${fullName(user)}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => edit(user)}>
          Change the role
        </Menu.Item>
        <Menu.Item leftSection={<IconUserMinus size={16} />} color="red" onClick={() => remove(user)}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
