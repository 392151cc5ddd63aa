import { Accordion, Button, Group, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import type { ComponentType } from "react";
import { State } from "@/components/state";
import { AccountStep } from "./account";
import { DomainStep } from "./domain";
import { type FirstRun, type Step, type StepName, useMark } from "./first-run";
import { MessageStep } from "./message";
import { HostNameStep, Port25Step } from "./network";
import { SandboxStep } from "./sandbox";
import { SmtpUserStep } from "./smtp-user";

export interface StepProps {
  step: Step;
  run: FirstRun;
}

const STEPS: Record<StepName, { title: string; Content: ComponentType<StepProps> }> = {
  account: { title: "Your account", Content: AccountStep },
  sandbox: { title: "Try the sandbox", Content: SandboxStep },
  host_name: { title: "Host name and PTR", Content: HostNameStep },
  port_25: { title: "The way out: port 25", Content: Port25Step },
  domain: { title: "Your first domain", Content: DomainStep },
  smtp_user: { title: "An SMTP user", Content: SmtpUserStep },
  message: { title: "A real message", Content: MessageStep },
};

export function StepItem({ step, run, number }: StepProps & { number: number }) {
  const { title, Content } = STEPS[step.step];
  const done = step.state === "done";
  return (
    <Accordion.Item value={step.step}>
      <Accordion.Control>
        <Group gap="sm" mr="xs">
          <ThemeIcon
            variant={done ? "filled" : "light"}
            color={done ? "postroom" : "gray"}
            radius="xl"
            size={28}
          >
            {done ? <IconCheck size={16} /> : <Text size="sm">{number}</Text>}
          </ThemeIcon>
          <Text fw={550} flex="1 1 9rem">
            {title}
          </Text>
          <Chip step={step} />
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap="md" pl={{ base: 0, sm: 40 }}>
          <Stack gap={2} style={{ overflowWrap: "anywhere" }}>
            <Text size="sm">{sentence(step.detail)}</Text>
            {step.fix && (
              <Text size="sm" c="dimmed">
                {step.fix}
              </Text>
            )}
          </Stack>
          <Content step={step} run={run} />
          {!done && <Leave step={step} run={run} />}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Chip({ step }: { step: Step }) {
  if (step.state === "done") return <State kind="good">Done</State>;
  if (step.skipped) return <State kind="quiet">Left out</State>;
  if (step.state === "problem") return <State kind="bad">Needs a hand</State>;
  return <State kind="waiting">To do</State>;
}

function Leave({ step, run }: StepProps) {
  const mark = useMark();
  const left = run.steps.filter((one) => one.skipped).map((one) => one.step);
  const skipped = step.skipped ? left.filter((one) => one !== step.step) : [...left, step.step];
  return (
    <Group>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        loading={mark.isPending}
        onClick={() => mark.mutate({ skipped })}
      >
        {step.skipped ? "Put it back on the list" : "Leave it out for now"}
      </Button>
    </Group>
  );
}

/** Checks speak in half sentences, for a line of the doctor. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
