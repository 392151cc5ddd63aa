import { Stack, Text } from "@mantine/core";
import { State } from "@/components/state";
import { type Column, Rows } from "@/components/table";
import type { FirstRun } from "./first-run";

type Finding = FirstRun["authentication"][number];

const COLUMNS: Column<Finding>[] = [
  { header: "Check", cell: (one) => one.name },
  { header: "Result", cell: (one) => <Result passes={one.passes} /> },
  {
    header: "Found",
    wide: true,
    cell: (one) => (
      <Stack gap={0} style={{ overflowWrap: "anywhere" }}>
        <Text size="sm">{one.detail}</Text>
        {one.fix && (
          <Text size="sm" c="dimmed">
            {one.fix}
          </Text>
        )}
      </Stack>
    ),
  },
];

/** Whether SPF, DKIM and DMARC will pass, as far as that can be seen from here. */
export function Authentication({ found }: { found: Finding[] }) {
  if (found.length === 0) return null;
  return <Rows columns={COLUMNS} rows={found} rowKey={(one) => one.name} label="What receivers will find" />;
}

function Result({ passes }: { passes: boolean | null }) {
  if (passes === null) return <State kind="quiet">Not known</State>;
  return passes ? <State kind="good">Passes</State> : <State kind="bad">Fails</State>;
}
