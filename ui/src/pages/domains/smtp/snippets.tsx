import { Code, Group, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Copy } from "@/components/copy";
import { SNIPPETS } from "@/lib/snippets";
import { useSession } from "@/session/session";
import type { Domain } from "../domain";
import { AUTHORITY_FILE, type RelayAddress, WORDS } from "./relay";
import classes from "./snippets.module.css";
import type { SmtpUser } from "./user";

interface Props {
  user: SmtpUser;
  password: string;
  domain: Domain;
  relay: RelayAddress;
}

export function Snippets({ user, password, domain, relay }: Props) {
  const session = useSession();
  const [name, setName] = useState("swaks");
  const [at, setAt] = useState(0);
  const listener = relay.listeners[at];
  const snippet = SNIPPETS.find((one) => one.name === name);
  if (!listener || !snippet) return null;
  const code = snippet.code({
    server: relay.server,
    port: listener.port,
    tls: listener.tls,
    username: user.username,
    password,
    from: `hello@${domain.name}`,
    to: session.user.email,
    authority: relay.authority && AUTHORITY_FILE,
  });
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <Select
          label="Ready to use in"
          data={SNIPPETS.map((one) => one.name)}
          value={name}
          onChange={(chosen) => setName(chosen ?? "swaks")}
          allowDeselect={false}
          flex="1 1 11rem"
        />
        <SegmentedControl
          aria-label="Port"
          value={String(at)}
          onChange={(chosen) => setAt(Number(chosen))}
          data={relay.listeners.map((one, number) => ({
            value: String(number),
            label: `${one.port} (${WORDS[one.tls].short})`,
          }))}
        />
      </Group>
      <Stack gap={4}>
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            {snippet.place}
          </Text>
          <Copy value={code} what={`the code for ${name}`} />
        </Group>
        <Code block fz="xs" className={classes.code} tabIndex={0} aria-label={`Code for ${name}`}>
          {code}
        </Code>
      </Stack>
    </Stack>
  );
}
