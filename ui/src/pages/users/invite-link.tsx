import { Button, Stack, Text } from "@mantine/core";
import { Copyable } from "@/components/copy";

/** As long as Postroom's own mail cannot leave, whoever invites hands the link over. */
export function InviteLink({ email, link, close }: { email: string; link: string; close: () => void }) {
  return (
    <Stack>
      <Text size="sm">
        Postroom cannot send mail of its own yet, so give this link to {email} yourself. It is good once, for
        three days.
      </Text>
      <Copyable value={link} what="the link" />
      <Button onClick={close} data-autofocus>
        Done
      </Button>
    </Stack>
  );
}
