/** What is still to come, and why it did not come yet. */
import { Alert } from "@mantine/core";
import { IconClock } from "@tabler/icons-react";
import { Time } from "@/components/time";
import type { Timeline } from "./steps";

export function Waiting({ waiting }: { waiting: NonNullable<Timeline["waiting"]> }) {
  const { due_at, under_way, hold, why } = waiting;
  return (
    <Alert
      color={hold ? "yellow" : "postroom"}
      variant="light"
      icon={<IconClock />}
      title={
        under_way ? (
          "An attempt is being made right now"
        ) : due_at ? (
          <>
            Next attempt <Time at={due_at} />
          </>
        ) : (
          "It waits"
        )
      }
    >
      {why || (under_way ? "This page follows it." : "It waits for its turn.")}
    </Alert>
  );
}
