/** What was refused: who tried, what they were told, and how to mend it. */
import { Anchor, Button, Code, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { useFilters } from "@/components/filters";
import { Page } from "@/components/page";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { TypedFilter } from "@/components/typed-filter";
import type { components } from "@/generated/v1";
import { count } from "@/lib/numbers";
import { ActivityTabs } from "./tabs";

type Refusal = components["schemas"]["RefusalOut"];

const FILTERS = ["search", "rule"] as const;
const SHORTEST = 2;
const EVERY = 15_000;
const MANY = 3; // recipients that are shown

export default function Refused() {
  return (
    <Page
      title="Refused"
      about="Attempts to send that Postroom refused, with what the program was told and how to mend it."
    >
      <ActivityTabs here="/refused" />
      <Refusals />
    </Page>
  );
}

function Refusals() {
  const filters = useFilters(FILTERS);
  const { search, rule } = filters.values;
  const query = {
    search: search.length < SHORTEST ? undefined : search,
    "rule[]": rule ? [rule] : undefined,
  };
  const list = useList(
    ["refusals", query],
    (page) => body(v1.GET("/refusals", { params: { query: { page, ...query } } })),
    EVERY,
  );
  const nothing = list.data?.data.length === 0 && list.page === 1;
  return (
    <>
      {(filters.any || !nothing) && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" role="search" aria-label="Filters of refusals">
          <TypedFilter
            label="Search"
            placeholder="Address, reply, SMTP user or token"
            value={search}
            set={(text) => filters.set({ search: text })}
          />
          <RuleFilter value={rule} set={(one) => filters.set({ rule: one })} />
        </SimpleGrid>
      )}
      <ListTable
        list={list}
        label="Refused attempts"
        rowKey={(refusal) => refusal.id}
        columns={COLUMNS}
        empty={
          filters.any ? (
            <Empty
              title="No refusal fits"
              action={
                <Button variant="default" onClick={filters.clear}>
                  Clear the filters
                </Button>
              }
            />
          ) : (
            <Empty title="Nothing was refused" icon={IconShieldCheck}>
              Should an email of yours be refused, it stands here with the exact reply and what to do about
              it.
            </Empty>
          )
        }
      />
    </>
  );
}

function RuleFilter({ value, set }: { value: string; set: (value: string) => void }) {
  const rules = useQuery({
    queryKey: ["catalogue", "rules"],
    queryFn: async () => Object.keys((await import("@/generated/refusals.json")).default).sort(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Select
      label="Rule"
      placeholder="Any"
      clearable
      searchable
      data={rules.data ?? []}
      value={value || null}
      onChange={(rule) => set(rule ?? "")}
    />
  );
}

const COLUMNS: Column<Refusal>[] = [
  { header: "When", cell: (refusal) => <When refusal={refusal} /> },
  { header: "Who", cell: (refusal) => <Who refusal={refusal} /> },
  { header: "Message", cell: (refusal) => <Message refusal={refusal} /> },
  { header: "Answer", wide: true, cell: (refusal) => <Answer refusal={refusal} /> },
];

function When({ refusal }: { refusal: Refusal }) {
  return (
    <Stack gap={0}>
      <Text size="sm">
        <Time at={refusal.last_at} />
      </Text>
      {refusal.count > 1 && (
        <Text size="xs" c="dimmed">
          {count(refusal.count)} times
        </Text>
      )}
    </Stack>
  );
}

function Who({ refusal }: { refusal: Refusal }) {
  return (
    <Stack gap={0} miw={120} maw={200}>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {refusal.credential_name || refusal.credential || "Not logged in"}
      </Text>
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        from {refusal.client}
      </Text>
    </Stack>
  );
}

function Message({ refusal }: { refusal: Refusal }) {
  const { header_from, sender, recipients } = refusal;
  const [first, more] = [recipients.slice(0, MANY).join(", "), recipients.length - MANY];
  return (
    <Stack gap={0} miw={120} maw={220}>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {header_from || sender || "From: not known"}
      </Text>
      {first && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          to {first}
          {more > 0 && ` and ${more} more`}
        </Text>
      )}
    </Stack>
  );
}

function Answer({ refusal }: { refusal: Refusal }) {
  return (
    <Stack gap={6}>
      <Code block fz="xs" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {refusal.reply}
      </Code>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {refusal.fix}{" "}
        <Anchor href={`/refusals#${refusal.rule}`} target="_blank" inherit underline="always">
          {refusal.rule}
        </Anchor>
      </Text>
    </Stack>
  );
}
