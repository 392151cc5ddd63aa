/** Addresses of other people's domains that may be sent from, because their owners have agreed. */
import { ActionIcon, Anchor, Button, Menu, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconDots, IconMailCheck, IconPlus, IconSearch, IconSend, IconTrash } from "@tabler/icons-react";
import { Link, useSearchParams } from "react-router";
import { body, data, v1 } from "@/api/client";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { notifyDone } from "@/components/notify";
import { Page } from "@/components/page";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { useMay } from "@/session/session";
import { NewIdentity } from "./new-identity";

type Identity = components["schemas"]["IdentityOut"];

export default function Identities() {
  const [parameters, setParameters] = useSearchParams();
  const query = parameters.get("query") ?? "";
  const list = useList(["identities", { query }], (page) =>
    body(v1.GET("/identities", { params: { query: { page, query } } })),
  );
  const search = useDebouncedCallback(
    (text: string) => setParameters(text ? { query: text } : {}, { replace: true }),
    250,
  );
  const [making, make] = useDisclosure();
  const may = useMay("manage-sender-identities");
  const actions = useActions();
  const button = may && (
    <Button leftSection={<IconPlus size={17} />} onClick={make.open}>
      New identity
    </Button>
  );
  const some = query !== "" || (list.data?.data.length ?? 0) > 0;
  return (
    <Page
      title="Sender identities"
      about="Single addresses whose domain you have not verified. Their owners agree by mail, and one of your domains signs."
      actions={button}
    >
      {some && (
        <TextInput
          aria-label="Search for an address or a name"
          placeholder="Search for an address or a name"
          leftSection={<IconSearch size={16} />}
          defaultValue={query}
          onChange={(event) => search(event.currentTarget.value)}
          maw={360}
        />
      )}
      <ListTable
        list={list}
        columns={may ? [...COLUMNS, actions] : COLUMNS}
        rowKey={(identity) => identity.id}
        label="Sender identities"
        empty={
          query ? (
            <Empty title="Nothing found">No address and no name holds “{query}”.</Empty>
          ) : (
            <Empty title="No sender identity yet" icon={IconMailCheck} action={button}>
              Verifying a domain is better where you can. An identity is for the address of a client who
              cannot change their DNS.
            </Empty>
          )
        }
      />
      <NewIdentity opened={making} close={make.close} />
    </Page>
  );
}

const COLUMNS: Column<Identity>[] = [
  {
    header: "Address",
    wide: true,
    cell: (identity) => (
      <Stack gap={0}>
        <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
          {identity.email}
        </Text>
        {identity.name && (
          <Text size="sm" c="dimmed">
            {identity.name}
          </Text>
        )}
        {identity.reply_to_email && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            Answers go to {identity.reply_to_name} {identity.reply_to_email}
          </Text>
        )}
      </Stack>
    ),
  },
  {
    header: "Signed by",
    cell: ({ domain }) => (
      <Anchor component={Link} to={`/domains/${domain.id}`} size="sm">
        {domain.name}
      </Anchor>
    ),
  },
  { header: "State", cell: (identity) => <IdentityState identity={identity} /> },
  { header: "Made", extra: true, cell: (identity) => <Time at={identity.created_at} /> },
];

function IdentityState({ identity }: { identity: Identity }) {
  return (
    <Stack gap={4} align="flex-start" maw={280}>
      {identity.is_verified ? (
        <State kind={identity.problem ? "bad" : "good"}>{identity.problem ? "Problem" : "Confirmed"}</State>
      ) : (
        <State kind="waiting">
          {identity.resends > 0 ? `Waits, asked ${identity.resends + 1} times` : "Waits for its owner"}
        </State>
      )}
      {identity.problem && <Text size="xs">{identity.problem}</Text>}
    </Stack>
  );
}

/** The column of buttons. */
function useActions(): Column<Identity> {
  const refresh = [["identities"]];
  const at = (identity_id: string) => ({ params: { path: { identity_id } } });
  const resend = useChange(({ id }: Identity) => data(v1.POST("/identities/{identity_id}/resend", at(id))), {
    refresh,
    done: ({ email }) => notifyDone(`A new confirmation is on its way to ${email}; the link before is dead.`),
  });
  const remove = useChange(({ id }: Identity) => v1.DELETE("/identities/{identity_id}", at(id)), {
    refresh,
    done: (_, { email }) => notifyDone(`${email} is deleted.`),
  });
  const ask = (identity: Identity) =>
    confirm({
      title: `Delete ${identity.email}?`,
      children: "Nothing more is accepted from it, within a second. What is queued is sent.",
      confirm: "Delete",
      onConfirm: () => remove.mutate(identity),
    });
  return {
    header: "",
    cell: (identity) => (
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`What to do with ${identity.email}`}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {!identity.is_verified && (
            <Menu.Item leftSection={<IconSend size={16} />} onClick={() => resend.mutate(identity)}>
              Send the confirmation again
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => ask(identity)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    ),
  };
}
