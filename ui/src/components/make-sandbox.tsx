/** A button that makes the account's sandbox domain; nothing for who may not. */
import { Button } from "@mantine/core";
import { console, data } from "@/api/client";
import { useChange } from "@/api/queries";
import { notifyDone } from "@/components/notify";
import { useMay } from "@/session/session";

const CHANGED = [["domains"], ["senders"], ["first-run"], ["home"]];

export function MakeSandbox({ main }: { main?: boolean }) {
  const may = useMay("manage-domain");
  const make = useChange(() => data(console.POST("/sandbox")), {
    refresh: CHANGED,
    done: ({ name }) => notifyDone(`You can send from any address at ${name}. Nothing of it leaves.`),
  });
  if (!may) return null;
  return (
    <Button
      variant={main ? "filled" : "default"}
      loading={make.isPending}
      onClick={() => make.mutate(undefined)}
    >
      Make a sandbox domain
    </Button>
  );
}
