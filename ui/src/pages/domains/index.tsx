/** What the account sends from. */
import { Anchor, Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconWorld } from "@tabler/icons-react";
import { Link } from "react-router";
import { body, v1 } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { Page } from "@/components/page";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import { useMay } from "@/session/session";
import { AddDomain } from "./add";
import type { Domain } from "./domain";
import { States } from "./states";

export default function Domains() {
  const list = useList(["domains"], (page) => body(v1.GET("/domains", { params: { query: { page } } })));
  const [adding, add] = useDisclosure();
  const may = useMay("manage-domain");
  const button = may && (
    <Button leftSection={<IconPlus size={17} />} onClick={add.open}>
      Add a domain
    </Button>
  );
  return (
    <Page
      title="Domains"
      about="What your mail is sent from, also below it: with example.com, news.example.com may stand in From."
      actions={button}
    >
      <ListTable
        list={list}
        columns={COLUMNS}
        rowKey={(domain) => domain.id}
        label="Domains"
        empty={
          <Empty title="No domain yet" icon={IconWorld} action={button}>
            Add the domain of your addresses. You publish one DNS record to show that it is yours, and can
            send.
          </Empty>
        }
      />
      <AddDomain opened={adding} close={add.close} />
    </Page>
  );
}

const COLUMNS: Column<Domain>[] = [
  {
    header: "Domain",
    wide: true,
    cell: (domain) => (
      <Anchor
        component={Link}
        to={`/domains/${domain.id}`}
        size="sm"
        fw={550}
        style={{ overflowWrap: "anywhere" }}
      >
        {domain.name}
      </Anchor>
    ),
  },
  { header: "State", cell: (domain) => <States domain={domain} /> },
  { header: "Emails", right: true, cell: (domain) => count(domain.domain_stats.total) },
  { header: "Delivered", right: true, cell: (domain) => count(domain.domain_stats.delivered) },
  { header: "Rejected", right: true, cell: (domain) => count(domain.domain_stats.rejected) },
  { header: "Waiting", right: true, extra: true, cell: (domain) => <Waiting domain={domain} /> },
  { header: "Added", extra: true, cell: (domain) => <Time at={domain.created_at} /> },
  {
    header: "",
    cell: (domain) => (
      <Button
        component={Link}
        to={`/domains/${domain.id}`}
        variant="default"
        size="xs"
        aria-label={`Manage ${domain.name}`}
      >
        Manage
      </Button>
    ),
  },
];

function Waiting({ domain }: { domain: Domain }) {
  const waiting = domain.domain_stats.queued + domain.domain_stats.sent;
  return waiting > 0 ? count(waiting) : <Text c="dimmed">–</Text>;
}
