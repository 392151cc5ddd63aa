/** What stands between the domain and mail that arrives, with the way on. */
import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle, IconPlayerPause } from "@tabler/icons-react";
import { Link } from "react-router";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import type { Domain } from "./domain";
import { useMayPause, usePause } from "./pause";

export function Notices({ domain }: { domain: Domain }) {
  const { is_verified, failing_since, pauses_at, mode, domain_settings } = domain;
  return (
    <Stack gap="sm">
      {!is_verified && (
        <Alert color="yellow" variant="light" icon={<IconInfoCircle />} title="Not verified yet">
          Publish the record marked “Required” under{" "}
          <Anchor component={Link} to={`/domains/${domain.id}?tab=dns`} inherit underline="always">
            DNS records
          </Anchor>
          , then check. Until then messages from this domain are refused.
        </Alert>
      )}
      {failing_since && (
        <Alert color="red" variant="light" icon={<IconAlertTriangle />} title="The DKIM record is gone">
          It was not found any more <Time at={failing_since} />. Recipients may refuse your mail.
          {pauses_at && (
            <>
              {" "}
              Sending is paused <Time at={pauses_at} /> unless it is back.
            </>
          )}
        </Alert>
      )}
      {is_verified && mode === "sandbox" && (
        <Alert color="gray" variant="light" icon={<IconInfoCircle />} title="A sandbox">
          What is sent from this domain stays in the{" "}
          <Anchor component={Link} to="/inbox" inherit underline="always">
            sandbox inbox
          </Anchor>
          . Nothing leaves, so you can try everything.
        </Alert>
      )}
      {domain_settings.send_paused && <Paused domain={domain} />}
    </Stack>
  );
}

function Paused({ domain }: { domain: Domain }) {
  const pause = usePause(domain);
  const may = useMayPause();
  const waiting = domain.not_queued_messages_count;
  return (
    <Alert color="yellow" variant="light" icon={<IconPlayerPause />} title="Sending is paused">
      <Group justify="space-between" gap="sm">
        <Text size="sm" flex="1 1 14rem">
          Messages are accepted and wait.{" "}
          {waiting > 0 && `${count(waiting)} ${waiting === 1 ? "message waits" : "messages wait"} now.`}
        </Text>
        {may && (
          <Button size="xs" variant="default" loading={pause.isPending} onClick={() => pause.mutate(false)}>
            Resume sending
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** Above what needs a verified domain. */
export function FirstVerify({ domain, what }: { domain: Domain; what: string }) {
  if (domain.is_verified) return null;
  return (
    <Text size="sm" c="dimmed">
      {what}{" "}
      <Anchor component={Link} to={`/domains/${domain.id}?tab=dns`} inherit underline="always">
        Publish its DNS records
      </Anchor>{" "}
      first.
    </Text>
  );
}
