/** One attempt: where, how well encrypted, what the answer was, and all that was said. */
import { Button, Code, Collapse, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { type Kind, State } from "@/components/state";
import { Time } from "@/components/time";
import type { Attempt } from "./steps";
import { Transcript } from "./transcript";

export const RESULTS: Record<Attempt["result"], { word: string; kind: Kind }> = {
  delivered: { word: "Delivered", kind: "good" },
  deferred: { word: "Deferred", kind: "waiting" },
  failed: { word: "Failed", kind: "bad" },
  uncertain: { word: "Uncertain", kind: "waiting" },
};

interface Props {
  attempt: Attempt;
  nextAt: string | null;
  /** The last one is what people look for. */
  opened: boolean;
}

export function AttemptStep({ attempt, nextAt, opened }: Props) {
  const [shown, transcript] = useDisclosure(opened);
  return (
    <Stack gap={8}>
      <Group gap="xs">
        <State kind={RESULTS[attempt.result].kind}>{RESULTS[attempt.result].word}</State>
        <Security attempt={attempt} />
      </Group>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {attempt.host ? (
          <>
            {attempt.host}
            {attempt.address && <Text span c="dimmed">{` [${attempt.address}]`}</Text>}
          </>
        ) : (
          "No server was reached"
        )}
        <Text span c="dimmed">{`, ${took(attempt.duration_ms)}`}</Text>
      </Text>
      {attempt.reply && (
        <Code block fz="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {attempt.reply}
        </Code>
      )}
      {nextAt && (
        <Text size="sm">
          Then the next attempt was planned for <Time at={nextAt} is="exact" />.
        </Text>
      )}
      {attempt.transcript.length > 0 && (
        <>
          <Group>
            <Button
              size="compact-sm"
              variant="subtle"
              ml={-8}
              leftSection={shown ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}
              onClick={transcript.toggle}
              aria-expanded={shown}
            >
              {shown ? "Hide the transcript" : `Show the transcript (${attempt.transcript.length} lines)`}
            </Button>
          </Group>
          <Collapse expanded={shown}>
            <Transcript attempt={attempt} />
          </Collapse>
        </>
      )}
    </Stack>
  );
}

/** Whether it was encrypted, and what the certificate was worth. */
function Security({ attempt }: { attempt: Attempt }) {
  if (!attempt.host) return null;
  if (!attempt.tls_version) return <State kind="quiet">Not encrypted</State>;
  const verified = attempt.certificate === "verified";
  return (
    <>
      <State kind="good">{attempt.tls_version}</State>
      {attempt.certificate && (
        <State kind={verified ? "good" : "quiet"}>
          {verified ? "Certificate verified" : `Certificate ${attempt.certificate}`}
        </State>
      )}
    </>
  );
}

function took(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
