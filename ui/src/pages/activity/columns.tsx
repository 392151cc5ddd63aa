import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { State } from "@/components/state";
import type { Column } from "@/components/table";
import { Time } from "@/components/time";
import type { FoundEmail } from "./search";
import { STATES } from "./states";

const TELLING = new Set<FoundEmail["state"]>(["deferred", "bounced", "expired", "uncertain"]);

export const COLUMNS: Column<FoundEmail>[] = [
  { header: "Email", wide: true, cell: (email) => <Email email={email} /> },
  { header: "State", cell: (email) => <EmailState email={email} /> },
  { header: "From", extra: true, cell: (email) => <Sender email={email} /> },
  { header: "Accepted", cell: (email) => <Time at={email.created_at} /> },
];

function Email({ email }: { email: FoundEmail }) {
  return (
    <Stack gap={2}>
      <Anchor
        component={Link}
        to={`/activity/${email.id}`}
        fw={550}
        size="sm"
        style={{ overflowWrap: "anywhere" }}
      >
        {email.to}
      </Anchor>
      <Text size="sm" lineClamp={1} style={{ overflowWrap: "anywhere" }}>
        {email.subject || <i>No subject</i>}
      </Text>
      {TELLING.has(email.state) && email.reply && (
        <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: "anywhere" }}>
          {email.reply}
        </Text>
      )}
      {email.tags && (
        <Text size="xs" c="dimmed" lineClamp={1} style={{ overflowWrap: "anywhere" }}>
          {email.tags.map((tag) => `#${tag}`).join(" ")}
        </Text>
      )}
    </Stack>
  );
}

function EmailState({ email }: { email: FoundEmail }) {
  const { word, kind } = STATES[email.state];
  return (
    <Group gap={6}>
      <State kind={kind}>{word}</State>
      {email.possible_duplicate && <State kind="waiting">Perhaps twice</State>}
    </Group>
  );
}

function Sender({ email }: { email: FoundEmail }) {
  return (
    <Stack gap={0} maw={220}>
      <Text size="sm" truncate title={email.from}>
        {email.from}
      </Text>
      {email.sent_by.name && (
        <Text size="xs" c="dimmed" truncate title={email.sent_by.name}>
          by {email.sent_by.name}
        </Text>
      )}
    </Stack>
  );
}
