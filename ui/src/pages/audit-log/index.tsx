/** Who changed what in the account, the newest first, and all of it as a file. */
import { Button, Group, Menu } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { body, v1 } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { Page } from "@/components/page";
import { ListTable } from "@/components/table";
import { columns, type Entry } from "./columns";
import { EntryDialog } from "./entry";
import { Filters, useWanted } from "./filters";

export default function AuditLog() {
  const wanted = useWanted();
  const [shown, show] = useState<Entry | null>(null);
  const list = useList(["audit-log", wanted], (page) =>
    body(v1.GET("/audit-log", { params: { query: { page, ...wanted } } })),
  );
  const filtered = Object.keys(wanted).length > 0;
  return (
    <Page
      title="Audit log"
      about="Who changed what in this account, in the dashboard, by the API or at the command line."
      actions={<Export wanted={wanted} />}
    >
      <Group gap="sm" align="flex-end">
        <Filters />
      </Group>
      <ListTable
        list={list}
        label="Audit log"
        rowKey={(entry) => entry.id}
        columns={columns(show)}
        empty={
          <Empty title={filtered ? "Nothing like that" : "Nothing was changed yet"} icon={IconHistory}>
            {filtered ? "Choose other kinds, people or days." : "From the first change on, it stands here."}
          </Empty>
        }
      />
      <EntryDialog entry={shown} close={() => show(null)} />
    </Page>
  );
}

/** The browser downloads it: a plain link, so that a long file needs no memory here. */
function Export({ wanted }: { wanted: Record<string, string> }) {
  const address = (format: string) => `/v1/audit-log/export?${new URLSearchParams({ ...wanted, format })}`;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={17} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={address("csv")} download>
          CSV, for spreadsheets
        </Menu.Item>
        <Menu.Item component="a" href={address("jsonl")} download>
          JSON lines, for programs
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
