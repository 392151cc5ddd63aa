import { SimpleGrid } from "@mantine/core";
import { NumberCard } from "@/components/number-card";
import { share } from "@/lib/numbers";
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
      <NumberCard label="Accepted" value={today.accepted} about="emails today" />
      <NumberCard
        label="Delivered"
        value={today.delivered}
        about={tried ? `${share(today.delivered, tried)} of what was tried` : "so far"}
      />
      <NumberCard label="Deferred" value={today.deferred} about="tried again later" />
      <NumberCard
        label="Bounced"
        value={today.bounced}
        about={tried ? share(today.bounced, tried) : "given up"}
      />
      {today.refused !== null && (
        <NumberCard label="Refused" value={today.refused} about="attempts to send" />
      )}
    </SimpleGrid>
  );
}
