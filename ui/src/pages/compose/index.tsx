/** Write an email, look what would become of it, and send it. */
import { Grid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { console, data, v1 } from "@/api/client";
import { useChange } from "@/api/queries";
import { useApiForm } from "@/components/form";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { useSession } from "@/session/session";
import { bodyOf, type Draft, EXAMPLE } from "./draft";
import { Editor } from "./editor";
import { Findings, type Preflight } from "./findings";
import { Sent } from "./sent";

export default function Compose() {
  const { user } = useSession();
  const [sent, setSent] = useState<{ messageId: string | null; to: string } | null>(null);
  const senders = useQuery({ queryKey: ["senders"], queryFn: () => data(console.GET("/senders")) });
  const form = useApiForm<Draft, string | null>({
    initialValues: { ...EXAMPLE, to: user.email },
    send: async (draft) => {
      const { response } = await v1.POST("/email", { body: bodyOf(draft, senders.data ?? []) });
      return response.headers.get("x-message-id");
    },
    refresh: [["emails"], ["inbox"]],
    done: (messageId, draft) => setSent({ messageId, to: draft.to }),
  });
  const preflight = useChange<Draft, Preflight>(
    (draft) => data(v1.POST("/preflight", { body: bodyOf(draft, senders.data ?? []) })),
    { quiet: true },
  );
  return (
    <Page
      title="Compose"
      about="Send a test from here. A check before shows whether it would be accepted, and what might hurt on its way."
    >
      {sent && <Sent {...sent} close={() => setSent(null)} />}
      {senders.error && <Problem error={senders.error} retry={() => senders.refetch()} />}
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Editor
            form={form}
            senders={senders.data}
            check={() => preflight.mutate(form.values)}
            checking={preflight.isPending}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="lg">
            {preflight.error && <Problem error={preflight.error} />}
            <Findings preflight={preflight.data} pending={preflight.isPending} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}
