import { Group } from "@mantine/core";
import { PageButton } from "@/components/page-button";
import type { StepProps } from "./step";

export function AccountStep({ step }: StepProps) {
  return (
    <Group>
      <PageButton to="/profile">
        {step.state === "done" ? "Profile and two-factor" : "Choose a password"}
      </PageButton>
    </Group>
  );
}
