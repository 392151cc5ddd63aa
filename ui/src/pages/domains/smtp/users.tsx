import { ActionIcon, Group, Menu, Modal, Stack, Text } from "@mantine/core";
import {
  IconDots,
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { body, v1 } from "@/api/client";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Copy } from "@/components/copy";
import { Empty } from "@/components/empty";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { useMay } from "@/session/session";
import type { Domain } from "../domain";
import { Fields } from "./fields";
import { limitsOf } from "./limits";
import { bodyOf, change, remove, resetPassword, type SmtpUser, type Values, valuesOf } from "./user";

interface Props {
  domain: Domain;
  /** Shows a password, once. */
  show: (user: SmtpUser) => void;
  action: ReactNode;
}

export function Users({ domain, show, action }: Props) {
  const path = { domain_id: domain.id };
  const list = useList(["smtp-users", domain.id], (page) =>
    body(v1.GET("/domains/{domain_id}/smtp-users", { params: { path, query: { page } } })),
  );
  const [edited, edit] = useState<SmtpUser | null>(null);
  const actions = useActions(domain, show, edit);
  const columns = useMay("manage-smtp-users") ? [...COLUMNS, actions] : COLUMNS;
  return (
    <>
      <ListTable
        flush
        list={list}
        columns={columns}
        rowKey={(user) => user.id}
        label="SMTP users"
        empty={
          <Empty title="No SMTP user yet" action={action}>
            Generate one, and give its username and password to the program that sends.
          </Empty>
        }
      />
      <Modal opened={edited !== null} onClose={() => edit(null)} title="Change the SMTP user" size="lg">
        {edited && <Edit key={edited.id} user={edited} close={() => edit(null)} />}
      </Modal>
    </>
  );
}

function Edit({ user, close }: { user: SmtpUser; close: () => void }) {
  const form = useApiForm<Values, unknown>({
    initialValues: valuesOf(user),
    send: (values) => change(user, bodyOf(values, user)),
    refresh: [["smtp-users", user.domain_id]],
    done: () => {
      notifyDone("Saved. It counts within a second.");
      close();
    },
  });
  return (
    <Form form={form} submit="Save" cancel={close}>
      <Fields form={form} limits />
    </Form>
  );
}

const COLUMNS: Column<SmtpUser>[] = [
  {
    header: "Name",
    wide: true,
    cell: (user) => (
      <Stack gap={0}>
        <Text size="sm" fw={550}>
          {user.name}
        </Text>
        <Group gap={2} wrap="nowrap">
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {user.username}
          </Text>
          <Copy value={user.username} what={`the username of ${user.name}`} />
        </Group>
        {limitsOf(user).length > 0 && (
          <Text size="xs" c="dimmed">
            {limitsOf(user).join(" · ")}
          </Text>
        )}
      </Stack>
    ),
  },
  { header: "State", cell: (user) => <UserState user={user} /> },
  { header: "Last used", cell: (user) => (user.accessed_at ? <Time at={user.accessed_at} /> : "Never") },
];

function UserState({ user }: { user: SmtpUser }) {
  if (user.expires_at && Date.parse(user.expires_at) < Date.now()) return <State kind="bad">Expired</State>;
  return user.enabled ? <State kind="good">Enabled</State> : <State kind="quiet">Disabled</State>;
}

/** The column of buttons. */
function useActions(domain: Domain, show: (user: SmtpUser) => void, edit: (user: SmtpUser) => void) {
  const refresh = [["smtp-users", domain.id]];
  const toggle = useChange((user: SmtpUser) => change(user, { enabled: !user.enabled }), {
    refresh,
    done: (user) =>
      notifyDone(user.enabled ? `${user.name} may log in.` : `${user.name} cannot log in any more.`),
  });
  const reset = useChange(resetPassword, { refresh, done: show });
  const gone = useChange(remove, { refresh, done: (_, user) => notifyDone(`${user.name} is deleted.`) });
  const askReset = (user: SmtpUser) =>
    confirm({
      title: `Reset the password of ${user.name}?`,
      children: "The old one is refused at once, and its open connections end.",
      confirm: "Reset the password",
      onConfirm: () => reset.mutate(user),
    });
  const askRemove = (user: SmtpUser) =>
    confirm({
      title: `Delete ${user.name}?`,
      children:
        "It cannot log in any more, within a second. What it has handed over is delivered all the same.",
      confirm: "Delete",
      onConfirm: () => gone.mutate(user),
    });
  const actions = { edit, toggle: toggle.mutate, reset: askReset, remove: askRemove };
  return { header: "", cell: (user: SmtpUser) => <Actions user={user} {...actions} /> };
}

interface ActionsProps {
  user: SmtpUser;
  edit: (user: SmtpUser) => void;
  toggle: (user: SmtpUser) => void;
  reset: (user: SmtpUser) => void;
  remove: (user: SmtpUser) => void;
}

function Actions({ user, edit, toggle, reset, remove }: ActionsProps) {
  const sees = useMay("access-smtp-credentials");
  const Toggle = user.enabled ? IconPlayerPause : IconPlayerPlay;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${user.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => edit(user)}>
          Change name or limits
        </Menu.Item>
        <Menu.Item leftSection={<Toggle size={16} />} onClick={() => toggle(user)}>
          {user.enabled ? "Disable" : "Enable"}
        </Menu.Item>
        {sees && (
          <Menu.Item leftSection={<IconKey size={16} />} onClick={() => reset(user)}>
            Reset the password
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => remove(user)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
