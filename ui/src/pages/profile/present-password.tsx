import { PasswordInput, type PasswordInputProps, Text } from "@mantine/core";
import { useSession } from "@/session/session";

/** Asked for once more by what changes how one signs in; who has no password yet needs none. */
export function PresentPassword(props: PasswordInputProps) {
  const { user } = useSession();
  if (!user.has_password) return <Text size="sm">You have no password yet, so none is asked for.</Text>;
  return (
    <PasswordInput label="Your password" autoComplete="current-password" required data-autofocus {...props} />
  );
}
