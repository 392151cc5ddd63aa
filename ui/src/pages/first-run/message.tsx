import { Group, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { body, data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { PageButton } from "@/components/page-button";
import { within } from "@/lib/fields";
import { useSession } from "@/session/session";
import { Authentication } from "./authentication";
import { Check } from "./domain";
import { FIRST_RUN } from "./first-run";
import type { StepProps } from "./step";

/** Send one to a real address; then what became of it, and what the receiver will have found. */
export function MessageStep({ step, run }: StepProps) {
  const domain = useQuery({
    queryKey: ["domains", run.domain_id],
    queryFn: () =>
      data(v1.GET("/domains/{domain_id}", { params: { path: { domain_id: run.domain_id ?? "" } } })),
    enabled: run.domain_id !== null,
  });
  if (run.domain_id === null) {
    return (
      <Text size="sm" c="dimmed">
        Your first domain comes before.
      </Text>
    );
  }
  return (
    <Stack gap="md">
      {domain.data?.is_verified && <Send domain={domain.data.name} />}
      <Authentication found={run.authentication} />
      <Group>
        <Check domainId={run.domain_id} />
        {step.object_id && <PageButton to="/activity">See it in Activity</PageButton>}
      </Group>
    </Stack>
  );
}

function Send({ domain }: { domain: string }) {
  const { user } = useSession();
  const form = useApiForm({
    initialValues: { to: user.email },
    send: ({ to }) =>
      body(
        v1.POST("/email", {
          body: {
            from: { email: `hello@${domain}`, name: "Postroom" },
            to: [{ email: to }],
            subject: `A first message from ${domain}`,
            text: `Postroom has sent this from ${domain}. The headers of this message tell whether SPF, DKIM and DMARC passed.`,
          },
        }),
      ),
    refresh: [...FIRST_RUN, ["emails"]],
    done: (_, { to }) => notifyDone(`It is on its way to ${to}.`),
  });
  return (
    <Form form={form} submit="Send the message">
      <TextInput
        label="To"
        description={`From hello@${domain}, to a mailbox you can read.`}
        type="email"
        required
        maw={360}
        {...form.getInputProps("to")}
        error={within(form.errors, "to")}
      />
    </Form>
  );
}
