import { Progress, Stack, Text } from "@mantine/core";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import type { Home } from "./home";

const NEAR = 0.8;

export function Quota({ quota }: { quota: Home["quota"] }) {
  const { used, limit } = quota;
  return (
    <Section title="Quota of today">
      <Stack gap={4}>
        <Text fz={28} fw={650} lh={1.3}>
          {count(used)}
          {limit !== null && (
            <Text span c="dimmed" fw={500} fz="md">
              {" "}
              of {count(limit)} emails
            </Text>
          )}
        </Text>
        {limit !== null && (
          <Progress
            value={limit ? Math.min(100, (100 * used) / limit) : 100}
            color={used >= limit ? "red" : used >= limit * NEAR ? "yellow" : "postroom"}
            aria-label="Quota used"
            my={4}
          />
        )}
        <Text size="sm" c="dimmed">
          {limit === null ? "There is no limit." : null} Counted anew <Time at={quota.resets_at} />.
        </Text>
      </Stack>
    </Section>
  );
}
