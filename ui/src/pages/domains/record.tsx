/** One record to publish: what goes into which field, and what was found. */
import { Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Copyable } from "@/components/copy";
import { type Kind, State } from "@/components/state";
import type { components } from "@/generated/v1";
import { type DnsRecord, nameFor, type Provider, valueFor } from "./providers";
import classes from "./record.module.css";

export type Finding = components["schemas"]["VerificationOut"]["records"][number];

interface Props {
  record: DnsRecord;
  zone: string;
  provider: Provider;
  importance: "Required" | "Recommended" | "Optional";
  /** Absent before the DNS was looked at. */
  finding?: Finding | undefined;
}

export function RecordCard({ record, zone, provider, importance, finding }: Props) {
  const [title, ...about] = record.purpose.split(": ");
  const name = nameFor(provider, record.hostname, zone);
  return (
    <Paper component="section" p="lg" aria-label={record.purpose}>
      <Stack gap="sm">
        <Group justify="space-between" gap="sm">
          <Stack gap={0} flex="1 1 14rem">
            <Title order={2}>{capital(title ?? "")}</Title>
            {about.length > 0 && (
              <Text size="sm" c="dimmed">
                {capital(about.join(": "))}
              </Text>
            )}
          </Stack>
          <Group gap={6}>
            <Badge variant="outline" color="gray" tt="none" radius="sm">
              {importance}
            </Badge>
            {finding && <Found finding={finding} />}
          </Group>
        </Group>
        <dl className={classes.fields}>
          <Field label="Type">{record.type}</Field>
          <Field label="Name">
            <Copyable value={name} what={`the name of the record ${title}`} />
          </Field>
          <Field label="Value">
            <Copyable value={valueFor(provider, record)} what={`the value of the record ${title}`} />
          </Field>
          {record.priority && <Field label="Priority">{record.priority}</Field>}
          {finding && !finding.ok && <Field label="Found">{finding.found || "Nothing"}</Field>}
          {finding && !finding.ok && finding.mend && <Field label="Mend it">{finding.mend}</Field>}
        </dl>
      </Stack>
    </Paper>
  );
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Found({ finding }: { finding: Finding }) {
  const [kind, word] = stateOf(finding);
  return <State kind={kind}>{word}</State>;
}

export function stateOf({ ok, unknown, found, required }: Finding): [Kind, string] {
  if (ok) return ["good", "Found"];
  if (unknown) return ["quiet", "No answer"];
  if (found) return [required ? "bad" : "waiting", "Differs"];
  return [required ? "bad" : "waiting", "Not found"];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
