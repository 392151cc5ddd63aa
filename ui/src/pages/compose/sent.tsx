import { Alert, Anchor, Text } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { Link } from "react-router";

interface Props {
  /** null: all recipients are suppressed. */
  messageId: string | null;
  to: string;
  close: () => void;
}

export function Sent({ messageId, to, close }: Props) {
  const frame = {
    withCloseButton: true,
    onClose: close,
    closeButtonLabel: "Close",
    variant: "light",
  } as const;
  if (messageId === null) {
    return (
      <Alert {...frame} color="yellow" icon={<IconAlertTriangle />} title="Nothing was sent">
        {to} is on a suppression list.
      </Alert>
    );
  }
  return (
    <Alert {...frame} color="postroom" icon={<IconCheck />} title="Accepted" role="status">
      <Text size="sm">
        It is on its way to {to}.{" "}
        <Anchor component={Link} to={`/activity?message=${messageId}`} inherit underline="always">
          Follow it in Activity
        </Anchor>
      </Text>
    </Alert>
  );
}
