import { Paper, Text } from "@mantine/core";
import { count } from "@/lib/numbers";

/** One number with its name, and a word on what it counts. */
export function NumberCard({ label, value, about }: { label: string; value: number; about: string }) {
  return (
    <Paper p="md">
      <Text size="sm" fw={500}>
        {label}
      </Text>
      <Text fz={28} fw={650} lh={1.3} style={{ fontVariantNumeric: "tabular-nums" }}>
        {count(value)}
      </Text>
      <Text size="xs" c="dimmed">
        {about}
      </Text>
    </Paper>
  );
}
