/** What is known of an email at a glance. */
import { Group, Paper, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Copy } from "@/components/copy";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { size } from "@/lib/numbers";
import type { Timeline } from "./steps";

type Email = components["schemas"]["ShownEmail"];

const KINDS: Record<string, string> = {
  smtp_user: "SMTP user",
  token: "API token",
  user: "User",
};

export function Facts({ email, timeline }: { email: Email; timeline: Timeline }) {
  const { accepted } = timeline;
  return (
    <Paper p="lg" component="section" aria-label="About the email">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="lg" verticalSpacing="md" component="dl" m={0}>
        <Fact name="To">{timeline.recipient}</Fact>
        <Fact name="From">{email.from}</Fact>
        <Fact name="Accepted">
          <Time at={email.created_at} is="exact" />
        </Fact>
        {accepted && (
          <Fact name={(accepted.by.kind && KINDS[accepted.by.kind]) || "Sent by"}>
            {accepted.by.name || "Gone by now"}
          </Fact>
        )}
        {accepted && <Fact name="Size">{size(accepted.size)}</Fact>}
        <Fact name="Message ID">
          <Group gap={2} wrap="nowrap" align="flex-start">
            <Text span ff="monospace" size="sm" style={{ overflowWrap: "anywhere" }}>
              {timeline.message_id}
            </Text>
            <Copy value={timeline.message_id} what="the message ID" />
          </Group>
        </Fact>
        {email.tags && <Fact name="Tags">{email.tags.join(", ")}</Fact>}
        {email.metadata && (
          <Fact name="Metadata">
            {Object.entries(email.metadata)
              .map(([name, value]) => `${name}: ${value}`)
              .join(", ")}
          </Fact>
        )}
        {email.headers && (
          <Fact name="Custom headers">
            {email.headers.map((header) => `${header.name}: ${header.value}`).join(", ")}
          </Fact>
        )}
      </SimpleGrid>
    </Paper>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text component="dt" size="xs" c="dimmed" fw={500}>
        {name}
      </Text>
      <Text component="dd" m={0} size="sm" style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </div>
  );
}
