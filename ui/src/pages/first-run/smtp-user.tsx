import { Group, Text } from "@mantine/core";
import { PageButton } from "@/components/page-button";
import type { StepProps } from "./step";

/** The domain's page generates users, with what to write into programs. */
export function SmtpUserStep({ step, run }: StepProps) {
  if (run.domain_id === null) {
    return (
      <Text size="sm" c="dimmed">
        Your first domain comes before.
      </Text>
    );
  }
  return (
    <Group>
      <PageButton to={`/domains/${run.domain_id}?tab=smtp`} main={step.state !== "done"}>
        {step.state === "done" ? "Its SMTP users" : "Generate one on its page"}
      </PageButton>
    </Group>
  );
}
