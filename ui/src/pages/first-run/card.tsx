/** The way there, on Home: for operators, until it is finished or they do not want it any more. */
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { nextStep, useFirstRun, useMark } from "./first-run";

export function FirstRunCard() {
  const run = useFirstRun();
  const mark = useMark();
  if (!run.data || run.data.finished || run.data.closed) return null;
  const { steps } = run.data;
  const done = steps.filter((one) => one.state === "done").length;
  return (
    <Paper component="section" aria-label="First run" p="lg">
      <Group justify="space-between" gap="sm">
        <Stack gap={0} flex="1 1 16rem">
          <Text fw={550}>{done === 0 ? "Begin here" : "Go on with the first run"}</Text>
          <Text size="sm" c="dimmed">
            From here to a real message: {done} of {steps.length} steps are done.
          </Text>
        </Stack>
        <Group gap="sm">
          <Button
            variant="subtle"
            color="gray"
            loading={mark.isPending}
            onClick={() => mark.mutate({ closed: true })}
          >
            Hide
          </Button>
          <Button component={Link} to={`/first-run?step=${nextStep(run.data) ?? ""}`}>
            Continue
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}
