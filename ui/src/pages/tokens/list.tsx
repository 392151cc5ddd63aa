import { Button, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { body, v1 } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { useActions } from "./actions";
import { NewToken } from "./new-token";
import { summary } from "./scopes";
import type { Bound, Token } from "./token";

interface SectionProps {
  title: string;
  about: string;
  domain: Bound;
}

/** Those of one domain, as a part of its page. */
export function TokenList({ title, about, domain }: SectionProps) {
  const [making, make] = useDisclosure();
  const button = (
    <Button leftSection={<IconPlus size={17} />} onClick={make.open}>
      Generate new token
    </Button>
  );
  return (
    <Section flush title={title} about={about} actions={button}>
      <TokenTable domain={domain} making={making} close={make.close} action={button} />
    </Section>
  );
}

interface Props {
  /** Only the tokens of this one; absent: all of the account. */
  domain?: Bound;
  /** Whether a new one is being made. */
  making: boolean;
  close: () => void;
  /** What to do where there is none. */
  action: ReactNode;
}

export function TokenTable({ domain, making, close, action }: Props) {
  const list = useList(["tokens", domain?.id ?? ""], (page) =>
    body(v1.GET("/token", { params: { query: { page, domain_id: domain?.id } } })),
  );
  const { column, dialogs } = useActions();
  return (
    <>
      <ListTable
        flush={domain !== undefined}
        list={list}
        columns={[...columns(domain === undefined), column]}
        rowKey={(token) => token.id}
        label="API tokens"
        empty={
          <Empty title="No API token yet" icon={domain ? undefined : IconKey} action={action}>
            Generate one, and give it to the program that calls the API.
          </Empty>
        }
      />
      <Modal
        opened={making}
        onClose={close}
        title="Generate an API token"
        size="lg"
        closeOnClickOutside={false}
      >
        <NewToken domain={domain} close={close} />
      </Modal>
      {dialogs}
    </>
  );
}

function columns(ofAccount: boolean): Column<Token>[] {
  const name: Column<Token> = { header: "Name", wide: true, cell: (token) => <Name token={token} /> };
  const rest: Column<Token>[] = [
    { header: "May", cell: (token) => <Words room="12rem">{summary(token)}</Words> },
    { header: "State", cell: (token) => <TokenState token={token} /> },
    {
      header: "Last used",
      cell: (token) => (token.last_used_at ? <Time at={token.last_used_at} /> : "Never"),
    },
  ];
  if (!ofAccount) return [name, ...rest];
  const whose: Column<Token> = {
    header: "For",
    cell: (token) => <Words room="9rem">{token.domain?.name ?? "The whole account"}</Words>,
  };
  return [name, whose, ...rest];
}

/** They keep so much room beside a wide column. */
function Words({ room, children }: { room: string; children: string }) {
  return (
    <Text size="sm" miw={room} style={{ overflowWrap: "anywhere" }}>
      {children}
    </Text>
  );
}

function Name({ token }: { token: Token }) {
  return (
    <Stack gap={0} style={{ overflowWrap: "anywhere" }}>
      <Text size="sm" fw={550}>
        {token.name}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {token.preview}
      </Text>
    </Stack>
  );
}

function TokenState({ token }: { token: Token }) {
  if (token.expires_at && Date.parse(token.expires_at) < Date.now()) return <State kind="bad">Expired</State>;
  return token.status === "pause" ? <State kind="quiet">Paused</State> : <State kind="good">Active</State>;
}
