import { Group, Stack, Text } from "@mantine/core";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import type { Home } from "./home";

export function Queue({ queue }: { queue: NonNullable<Home["queue"]> }) {
  const held = Object.entries(queue.held).filter(([, emails]) => emails > 0);
  return (
    <Section title="Queue">
      <Stack gap={4}>
        <Text fz={28} fw={650} lh={1.3}>
          {count(queue.emails)}
        </Text>
        <Text size="sm" c="dimmed">
          {queue.emails === 0 && "Everything is delivered or given up."}
          {queue.oldest_at && (
            <>
              The oldest came <Time at={queue.oldest_at} />.
            </>
          )}
        </Text>
        {held.map(([why, emails]) => (
          <Group key={why} justify="space-between">
            <Text size="sm">Held: {why.replaceAll("_", " ")}</Text>
            <Text size="sm">{count(emails)}</Text>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}
