/** From a fresh installation to a real message, step by step, for operators. Each can be left and resumed. */
import { Accordion, Alert, Button, Group, Paper, Progress, Skeleton, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useSearchParams } from "react-router";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { type FirstRun, nextStep, useFirstRun, useMark } from "./first-run";
import { StepItem } from "./step";

export default function FirstRunPage() {
  const run = useFirstRun();
  return (
    <Page
      title="First run"
      about="From a fresh installation to a real message. Leave any step and come back: it looks at what there is."
      actions={run.data && !run.data.finished && <Hidden closed={run.data.closed} />}
    >
      {run.error && !run.data && <Problem error={run.error} retry={() => run.refetch()} />}
      {run.data ? <Steps run={run.data} /> : run.isPending && <Skeleton h={480} radius="lg" />}
    </Page>
  );
}

function Steps({ run }: { run: FirstRun }) {
  const [opened, open] = useOpened(run);
  const done = run.steps.filter((one) => one.state === "done").length;
  return (
    <Stack gap="lg">
      {run.finished && (
        <Alert variant="light" icon={<IconCircleCheck />} title="That is it">
          Every step is done or left out. Postroom is ready for your mail.
        </Alert>
      )}
      <Group gap="sm">
        <Progress value={(100 * done) / run.steps.length} aria-label="Steps done" flex="1 1 8rem" maw={360} />
        <Text size="sm" c="dimmed">
          {done} of {run.steps.length} done
        </Text>
      </Group>
      <Paper style={{ overflow: "hidden" }}>
        <Accordion value={opened} onChange={open} order={2} chevronPosition="right">
          {run.steps.map((step, index) => (
            <StepItem key={step.step} step={step} number={index + 1} run={run} />
          ))}
        </Accordion>
      </Paper>
    </Stack>
  );
}

/** The open step is in the address; without a word there it is the next to be done. */
function useOpened(run: FirstRun): [string | null, (step: string | null) => void] {
  const [parameters, setParameters] = useSearchParams();
  const opened = parameters.get("step") ?? nextStep(run);
  const open = (step: string | null) => setParameters({ step: step ?? "" }, { replace: true });
  return [opened, open];
}

/** Home leads here until then. */
function Hidden({ closed }: { closed: boolean }) {
  const mark = useMark();
  return (
    <Button variant="default" loading={mark.isPending} onClick={() => mark.mutate({ closed: !closed })}>
      {closed ? "Show it on Home" : "Hide it on Home"}
    </Button>
  );
}
