/** Codes of an authenticator app as the second step of signing in: switching them on and off, recovery codes. */
import { Button, Group, Modal, Skeleton, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { Enrol } from "./enrol";
import { Disable, NewCodes } from "./second-factor-changes";

const FEW = 3;

export function SecondFactor() {
  const state = useQuery({ queryKey: ["second-factor"], queryFn: () => data(console.GET("/second-factor")) });
  const [enrolling, enrol] = useDisclosure();
  const [renewing, renew] = useDisclosure();
  const [disabling, disable] = useDisclosure();
  if (!state.data) {
    return (
      <Section title="Two-factor authentication">
        {state.error ? <Problem error={state.error} retry={() => state.refetch()} /> : <Skeleton h={36} />}
      </Section>
    );
  }
  const { enabled, recovery_codes_left: left } = state.data;
  return (
    <>
      <Section
        title="Two-factor authentication"
        about="Signing in then takes a code of your phone besides the password."
        actions={enabled ? <State kind="good">On</State> : <Button onClick={enrol.open}>Switch it on</Button>}
      >
        {enabled && (
          <>
            <Text size="sm" mb="md" c={left < FEW ? "var(--mantine-color-error)" : undefined}>
              {left === 1 ? "1 recovery code is" : `${left} recovery codes are`} left.
            </Text>
            <Group gap="sm">
              <Button variant="default" onClick={renew.open}>
                New recovery codes
              </Button>
              <Button variant="default" onClick={disable.open}>
                Switch it off
              </Button>
            </Group>
          </>
        )}
      </Section>
      <Modal
        opened={enrolling}
        onClose={enrol.close}
        title="Two-factor authentication"
        closeOnClickOutside={false}
      >
        <Enrol close={enrol.close} />
      </Modal>
      <Modal opened={renewing} onClose={renew.close} title="New recovery codes" closeOnClickOutside={false}>
        <NewCodes close={renew.close} />
      </Modal>
      <Modal opened={disabling} onClose={disable.close} title="Switch off two-factor authentication">
        <Disable close={disable.close} />
      </Modal>
    </>
  );
}
