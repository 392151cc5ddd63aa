/** The tokens of programs that use the API for this domain alone. */
import { ActionIcon, Button, Menu, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconPlayerPause, IconPlayerPlay, IconPlus, IconTrash } from "@tabler/icons-react";
import { body, data, v1 } from "@/api/client";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import type { Domain } from "../domain";
import { NewToken } from "./new-token";
import { summary } from "./scopes";

type Token = components["schemas"]["TokenOut"];

export function Tokens({ domain }: { domain: Domain }) {
  const list = useList(["tokens", domain.id], (page) =>
    body(v1.GET("/token", { params: { query: { page, domain_id: domain.id } } })),
  );
  const [making, make] = useDisclosure();
  const actions = useActions();
  const button = (
    <Button leftSection={<IconPlus size={17} />} onClick={make.open}>
      Generate new token
    </Button>
  );
  return (
    <Section
      flush
      title="API tokens"
      about={`For programs that use the API for ${domain.name}. Each sees and does what its scopes allow.`}
      actions={button}
    >
      <ListTable
        flush
        list={list}
        columns={[...COLUMNS, actions]}
        rowKey={(token) => token.id}
        label="API tokens"
        empty={
          <Empty title="No API token yet" action={button}>
            Generate one, and give it to the program that calls the API.
          </Empty>
        }
      />
      <Modal
        opened={making}
        onClose={make.close}
        title="Generate an API token"
        size="lg"
        closeOnClickOutside={false}
      >
        <NewToken domain={domain} close={make.close} />
      </Modal>
    </Section>
  );
}

const COLUMNS: Column<Token>[] = [
  {
    header: "Name",
    wide: true,
    cell: (token) => (
      <Stack gap={0}>
        <Text size="sm" fw={550}>
          {token.name}
        </Text>
        <Text size="xs" c="dimmed" ff="monospace">
          {token.preview}
        </Text>
      </Stack>
    ),
  },
  { header: "May", cell: (token) => summary(token.scopes) },
  { header: "State", cell: (token) => <TokenState token={token} /> },
  { header: "Last used", cell: (token) => (token.last_used_at ? <Time at={token.last_used_at} /> : "Never") },
];

function TokenState({ token }: { token: Token }) {
  if (token.expires_at && Date.parse(token.expires_at) < Date.now()) return <State kind="bad">Expired</State>;
  return token.status === "pause" ? <State kind="quiet">Paused</State> : <State kind="good">Active</State>;
}

/** The column of buttons. */
function useActions(): Column<Token> {
  const refresh = [["tokens"]];
  const toggle = useChange(
    ({ id, status }: Token) =>
      data(
        v1.PUT("/token/{token_id}/settings", {
          params: { path: { token_id: id } },
          body: { status: status === "pause" ? "unpause" : "pause" },
        }),
      ),
    {
      refresh,
      done: ({ name, status }) =>
        notifyDone(status === "pause" ? `${name} is paused.` : `${name} works again.`),
    },
  );
  const remove = useChange(
    ({ id }: Token) => v1.DELETE("/token/{token_id}", { params: { path: { token_id: id } } }),
    { refresh, done: (_, { name }) => notifyDone(`${name} is deleted.`) },
  );
  const ask = (token: Token) =>
    confirm({
      title: `Delete ${token.name}?`,
      children:
        "Whatever uses it is refused within a second. What was sent with it is delivered all the same.",
      confirm: "Delete",
      onConfirm: () => remove.mutate(token),
    });
  return {
    header: "",
    cell: (token) => (
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${token.name}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={
              token.status === "pause" ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />
            }
            onClick={() => toggle.mutate(token)}
          >
            {token.status === "pause" ? "Let it go on" : "Pause"}
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => ask(token)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    ),
  };
}
