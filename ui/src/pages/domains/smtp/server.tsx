/** What to write into the settings of a plug-in or program. */
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { Copyable } from "@/components/copy";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { download } from "@/lib/download";
import classes from "../record.module.css";
import { AUTHORITY_FILE, type RelayAddress, useRelay, WORDS } from "./relay";

export function Server() {
  const relay = useRelay();
  return (
    <Section title="Server" about="What programs and plug-ins ask for. Every connection is encrypted.">
      {relay.error && <Problem error={relay.error} retry={() => relay.refetch()} />}
      {relay.data ? <Address relay={relay.data} /> : !relay.error && <Skeleton h={120} />}
    </Section>
  );
}

function Address({ relay }: { relay: RelayAddress }) {
  return (
    <Stack gap="md">
      <dl className={classes.fields}>
        <dt>Server</dt>
        <dd>
          <Copyable value={relay.server} what="the server" />
        </dd>
        {relay.listeners.map(({ port, tls }) => (
          <Port key={`${tls} ${port}`} port={port} words={WORDS[tls].encryption} />
        ))}
        <dt>Log in</dt>
        <dd style={{ paddingTop: 3 }}>With the username and password of an SMTP user (PLAIN or LOGIN)</dd>
      </dl>
      {relay.authority && <Authority certificate={relay.authority} />}
    </Stack>
  );
}

function Port({ port, words }: { port: number; words: string }) {
  return (
    <>
      <dt>Port</dt>
      <dd style={{ paddingTop: 3 }}>
        <b>{port}</b> with {words}
      </dd>
    </>
  );
}

function Authority({ certificate }: { certificate: string }) {
  return (
    <Group gap="sm" justify="space-between">
      <Text size="sm" c="dimmed" flex="1 1 16rem">
        The certificate was made by this installation itself. Programs have to trust its authority: give them
        the file {AUTHORITY_FILE}.
      </Text>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconDownload size={16} />}
        onClick={() => download(AUTHORITY_FILE, certificate)}
      >
        Download {AUTHORITY_FILE}
      </Button>
    </Group>
  );
}
