import { Paper, SimpleGrid, Text } from "@mantine/core";
import { count, share } from "@/lib/numbers";
import type { Home } from "./home";

type Counts = NonNullable<Home["today"]>;

export function Numbers({ today }: { today: Counts }) {
  const tried = today.delivered + today.bounced;
  return (
    <SimpleGrid
      cols={{ base: 2, xs: 3, md: today.refused === null ? 4 : 5 }}
      spacing="md"
      component="section"
      aria-label="Today"
    >
      <Card label="Accepted" value={today.accepted} about="emails today" />
      <Card
        label="Delivered"
        value={today.delivered}
        about={tried ? `${share(today.delivered, tried)} of what was tried` : "so far"}
      />
      <Card label="Deferred" value={today.deferred} about="tried again later" />
      <Card label="Bounced" value={today.bounced} about={tried ? share(today.bounced, tried) : "given up"} />
      {today.refused !== null && <Card label="Refused" value={today.refused} about="attempts to send" />}
    </SimpleGrid>
  );
}

function Card({ label, value, about }: { label: string; value: number; about: string }) {
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
