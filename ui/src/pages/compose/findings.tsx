/** What the check found, the worst first, with how to mend it. */
import { Anchor, Group, Skeleton, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import type { components } from "@/generated/v1";

export type Preflight = components["schemas"]["PreflightOut"];
type Finding = Preflight["findings"][number];

const VERDICTS = {
  fail: { word: "Fails", color: "red", icon: IconX, kind: "bad" },
  warn: { word: "Warning", color: "yellow", icon: IconAlertTriangle, kind: "waiting" },
  pass: { word: "Good", color: "postroom", icon: IconCheck, kind: "good" },
} as const;

const ORDER = ["fail", "warn", "pass"] as const;

export function Findings({ preflight, pending }: { preflight: Preflight | undefined; pending: boolean }) {
  if (pending) return <Skeleton h={320} radius="lg" aria-busy="true" />;
  if (preflight === undefined) {
    return (
      <Section title="Check before sending">
        <Text size="sm" c="dimmed">
          “Check it” renders and signs the email, verifies the signature with the key in the DNS, and looks at
          the rules, the quota, the suppressions and the DNS of sender and recipients. Nothing is sent.
        </Text>
      </Section>
    );
  }
  const findings = ORDER.flatMap((verdict) => preflight.findings.filter((one) => one.verdict === verdict));
  return (
    <Section
      title={preflight.accepted ? "It would be accepted" : "It would be refused"}
      actions={<State kind={VERDICTS[preflight.verdict].kind}>{VERDICTS[preflight.verdict].word}</State>}
    >
      <Stack gap="md" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {findings.map((finding, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a check may find several things, all without names
          <Item key={place} finding={finding} />
        ))}
      </Stack>
    </Section>
  );
}

function Item({ finding }: { finding: Finding }) {
  const { color, icon: Icon, word } = VERDICTS[finding.verdict];
  return (
    <Group component="li" wrap="nowrap" align="flex-start" gap="sm">
      <ThemeIcon variant="light" color={color} size={24} radius="xl" role="img" aria-label={word}>
        <Icon size={14} />
      </ThemeIcon>
      <Stack gap={2} miw={0}>
        <Text size="sm" fw={550}>
          {titled(finding.id)}
        </Text>
        {finding.evidence && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {finding.evidence}
          </Text>
        )}
        {finding.fix && (
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {finding.fix}{" "}
            {finding.rule && (
              <Anchor href={`/refusals#${finding.rule}`} target="_blank" inherit underline="always">
                {finding.rule}
              </Anchor>
            )}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

/** "daily-quota" is "Daily quota". */
function titled(id: string): string {
  const words = id.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
