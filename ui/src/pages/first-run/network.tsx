/** The two steps that look at the network: the name Postroom sends under, and the way out. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { State } from "@/components/state";
import { Time } from "@/components/time";
import { type FirstRun, useChecks } from "./first-run";
import { Smarthost } from "./smarthost";
import type { StepProps } from "./step";

const RESOLVER = "resolver";

export function HostNameStep({ run }: StepProps) {
  return <Checks checks={run.checks} />;
}

export function Port25Step({ step, run }: StepProps) {
  const [wanted, setWanted] = useState(false);
  return (
    <Stack gap="md">
      {run.smarthost && (
        <Text size="sm">
          All mail goes to the smarthost {run.smarthost.host}, port {run.smarthost.port}.
        </Text>
      )}
      <Checks checks={run.checks} />
      {run.smarthost ? null : wanted || step.state === "problem" ? (
        <Smarthost />
      ) : (
        <Group>
          <Button variant="default" onClick={() => setWanted(true)}>
            Use a smarthost instead
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** The steps say what they are about; without a resolver neither of them can be done. */
function Checks({ checks }: { checks: FirstRun["checks"] }) {
  const begin = useChecks();
  const resolver = checks.results.find((one) => one.name === RESOLVER);
  const running = checks.under_way || begin.isPending;
  return (
    <Stack gap="sm">
      {resolver && resolver.result !== "ok" && (
        <Group gap="sm">
          <State kind="bad">DNS</State>
          <Text size="sm" flex="1 1 12rem">
            The resolver: {resolver.detail}. {resolver.fix}
          </Text>
        </Group>
      )}
      <Group gap="sm">
        <Button
          variant={checks.ended_at ? "default" : "filled"}
          loading={running}
          onClick={() => begin.mutate()}
        >
          {checks.ended_at ? "Check again" : "Run the network checks"}
        </Button>
        <Text size="sm" c="dimmed" role="status">
          {running
            ? "Looking: this takes some seconds."
            : checks.ended_at && (
                <>
                  Checked <Time at={checks.ended_at} />
                </>
              )}
        </Text>
      </Group>
    </Stack>
  );
}
