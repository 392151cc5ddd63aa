/** What the link opens that confirms another address to sign in with. */
import { Button, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { body, console, data } from "@/api/client";
import { SESSION, useChange } from "@/api/queries";
import { Entry, EntryLink } from "@/components/entry";
import { notifyDone } from "@/components/notify";
import { Problem } from "@/components/problem";
import { SecretLink } from "@/components/secret-link";
import { useToken } from "@/lib/token";

export default function ConfirmEmail() {
  const token = useToken();
  return (
    <SecretLink
      title="Change the email address"
      queryKey={["email-change", token]}
      look={() => data(console.POST("/email-changes/look", { body: { token } }))}
    >
      {(found) => <Confirm token={token} {...found} />}
    </SecretLink>
  );
}

function Confirm({ token, before, after }: { token: string; before: string; after: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const confirm = useChange(() => body(console.POST("/email-changes/confirm", { body: { token } })), {
    quiet: true,
    done: async () => {
      await queries.resetQueries({ queryKey: SESSION });
      notifyDone(`From now on you sign in with ${after}.`);
      navigate("/profile");
    },
  });
  return (
    <Entry title="Change the email address" footer={<EntryLink to="/">Leave it as it is</EntryLink>}>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        You will sign in with <b>{after}</b> instead of {before}. You stay signed in where you are.
      </Text>
      {confirm.error && <Problem error={confirm.error} />}
      <Button onClick={() => confirm.mutate(undefined)} loading={confirm.isPending} fullWidth>
        Change the address
      </Button>
    </Entry>
  );
}
