/** What is shown once: username and password, and pieces of code that have them in. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { Copyable } from "@/components/copy";
import { Secret } from "@/components/secret";
import type { Domain } from "../domain";
import classes from "../record.module.css";
import { useRelay, WORDS } from "./relay";
import { Snippets } from "./snippets";
import type { SmtpUser } from "./user";

interface Props {
  user: SmtpUser;
  domain: Domain;
  close: () => void;
}

export function Credentials({ user, domain, close }: Props) {
  const relay = useRelay();
  const listeners = relay.data?.listeners ?? [];
  const server = relay.data?.server ?? user.server;
  const heading = [
    `SMTP user ${user.name} of ${domain.name}`,
    `Server: ${server}`,
    ...listeners.map(({ port, tls }) => `Port: ${port} (${WORDS[tls].encryption})`),
    `Username: ${user.username}`,
    "Password:",
  ].join("\n");
  return (
    <Stack gap="md">
      <dl className={classes.fields}>
        <dt>Server</dt>
        <dd>
          <Copyable value={server} what="the server" />
        </dd>
        <dt>Ports</dt>
        <dd style={{ paddingTop: 3 }}>
          {listeners.map(({ port, tls }) => `${port} (${WORDS[tls].short})`).join(", ")}
        </dd>
        <dt>Username</dt>
        <dd>
          <Copyable value={user.username} what="the username" />
        </dd>
      </dl>
      {user.password === null ? (
        <Alert color="yellow" variant="light">
          Your role may not see passwords. Somebody with the permission access-smtp-credentials can reset it,
          and sees the new one.
        </Alert>
      ) : (
        <Stack gap={4}>
          <Text size="sm" fw={500}>
            Password
          </Text>
          <Secret value={user.password} file={`smtp-${user.username}.txt`} heading={heading} />
        </Stack>
      )}
      {user.password !== null && relay.data && (
        <Snippets user={user} password={user.password} domain={domain} relay={relay.data} />
      )}
      <Button onClick={close} w="fit-content">
        I have kept it
      </Button>
    </Stack>
  );
}
