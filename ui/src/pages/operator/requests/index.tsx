/** What accounts ask for, the oldest first, and the operator's answers. */
import { Button, SegmentedControl, Stack, Text, VisuallyHidden } from "@mantine/core";
import { IconInbox } from "@tabler/icons-react";
import { useState } from "react";
import { body, console } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { useFilters } from "@/components/filters";
import { Page } from "@/components/page";
import { State } from "@/components/state";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/console";
import { count } from "@/lib/numbers";
import { Decide } from "./decide";

export type Asked = components["schemas"]["RequestOut"];

const STATES = [
  { value: "submitted", label: "Waiting" },
  { value: "approved", label: "Approved" },
  { value: "refused", label: "Refused" },
];

export default function Requests() {
  const { values, set } = useFilters(["state"]);
  const state = STATES.some((one) => one.value === values.state)
    ? (values.state as Asked["state"])
    : "submitted";
  const [shown, show] = useState<Asked | null>(null);
  const list = useList(["requests", { state }], (page) =>
    body(console.GET("/operator/requests", { params: { query: { page, state } } })),
  );
  return (
    <Page
      title="Requests"
      about="Accounts that want to be approved, or to send more a day. They are told by mail."
    >
      <SegmentedControl
        data={STATES}
        value={state}
        onChange={(chosen) => set({ state: chosen })}
        aria-label="State"
        style={{ alignSelf: "flex-start" }}
      />
      <ListTable
        list={list}
        label="Requests"
        rowKey={(one) => one.id}
        columns={columns(show)}
        empty={<Nothing state={state} />}
      />
      <Decide request={shown} close={() => show(null)} />
    </Page>
  );
}

function Nothing({ state }: { state: Asked["state"] }) {
  if (state !== "submitted") return <Empty title={`None were ${state} yet`} />;
  return (
    <Empty title="Nobody waits for you" icon={IconInbox}>
      Requests of accounts appear here; you are told by mail as well.
    </Empty>
  );
}

function columns(show: (request: Asked) => void): Column<Asked>[] {
  return [
    {
      header: "Account",
      wide: true,
      cell: (one) => (
        <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
          {one.account}
        </Text>
      ),
    },
    { header: "Asks for", cell: wish },
    { header: "Asked", cell: (one) => <Time at={one.submitted_at} /> },
    { header: "State", cell: (one) => <Chip request={one} /> },
    {
      header: "",
      cell: (one) => (
        <Button size="xs" variant="default" onClick={() => show(one)}>
          {one.state === "submitted" ? "Decide" : "Look at it"}
          <VisuallyHidden>: the request of {one.account}</VisuallyHidden>
        </Button>
      ),
    },
  ];
}

export function wish(request: Asked): string {
  return request.kind === "quota" ? `${count(Number(request.answers.daily_quota))} a day` : "Approval";
}

function Chip({ request }: { request: Asked }) {
  if (request.state === "submitted") return <State kind="waiting">Waiting</State>;
  return (
    <Stack gap={2} align="flex-start">
      {request.state === "approved" ? <State kind="good">Approved</State> : <State kind="bad">Refused</State>}
      <Text size="xs" c="dimmed">
        {request.decided_by}
      </Text>
    </Stack>
  );
}
