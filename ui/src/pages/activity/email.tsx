/** One email: its way to the recipient, what it says, and what can be done. */
import { Alert, Skeleton, Stack, Tabs } from "@mantine/core";
import { IconCopyX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useParams, useSearchParams } from "react-router";
import { data, v1 } from "@/api/client";
import { EmailContent } from "@/components/email/content";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { Actions } from "./actions";
import { Facts } from "./facts";
import { STATES } from "./states";
import type { Timeline } from "./steps";
import { Waiting } from "./waiting";
import { Way } from "./way";

const EVERY = 3_000; // ms, while it is not final

export default function Email() {
  const { emailId = "" } = useParams();
  const path = { email_id: emailId };
  const email = useQuery({
    queryKey: ["emails", emailId],
    queryFn: () => data(v1.GET("/email/{email_id}", { params: { path } })),
  });
  const timeline = useQuery({
    queryKey: ["emails", emailId, "timeline"],
    queryFn: () => data(v1.GET("/email/{email_id}/timeline", { params: { path } })),
    refetchInterval: (query) => (query.state.data?.waiting ? EVERY : false),
  });
  const content = useQuery({
    queryKey: ["emails", emailId, "content"],
    queryFn: () => data(v1.GET("/email/{email_id}/content", { params: { path } })),
  });
  const error = email.error ?? timeline.error;
  const state = timeline.data && STATES[timeline.data.state];
  return (
    <Page
      title={email.data ? email.data.subject || "No subject" : "Email"}
      back={{ to: "/activity", label: "Activity" }}
      badge={state && <State kind={state.kind}>{state.word}</State>}
      actions={
        email.data &&
        timeline.data && (
          <Actions email={email.data} timeline={timeline.data} kept={content.data?.content_kept ?? false} />
        )
      }
    >
      {error && <Problem error={error} />}
      {email.data && timeline.data ? (
        <Stack gap="lg">
          {timeline.data.waiting && <Waiting waiting={timeline.data.waiting} />}
          {timeline.data.possible_duplicate && <Twice />}
          <Facts email={email.data} timeline={timeline.data} />
          <Parts timeline={timeline.data}>
            <Section
              title="Content"
              about="As this recipient got it, before Postroom's own header fields and signature."
            >
              {content.error && <Problem error={content.error} />}
              {content.isPending && <Skeleton h={320} />}
              {content.data && (
                <EmailContent emailId={emailId} domainId={email.data.domain_id} content={content.data} />
              )}
            </Section>
          </Parts>
        </Stack>
      ) : (
        !error && (
          <Stack gap="lg" aria-busy="true">
            <Skeleton h={140} radius="lg" />
            <Skeleton h={360} radius="lg" />
          </Stack>
        )
      )}
    </Page>
  );
}

function Twice() {
  return (
    <Alert color="yellow" variant="light" icon={<IconCopyX />} title="The recipient may have got it twice">
      The connection broke after the message was handed over and before their server answered, so it was sent
      again.
    </Alert>
  );
}

/** The way, or what the email says. */
function Parts({ timeline, children }: { timeline: Timeline; children: ReactNode }) {
  const [parameters, setParameters] = useSearchParams();
  const tab = parameters.get("tab") === "content" ? "content" : "delivery";
  return (
    <Tabs
      value={tab}
      onChange={(wanted) => setParameters(wanted === "content" ? { tab: "content" } : {}, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List mb="lg">
        <Tabs.Tab value="delivery">Delivery</Tabs.Tab>
        <Tabs.Tab value="content">Content</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="delivery">
        <Section
          title="Delivery timeline"
          about="Each step, and every line that was said to the recipient's server."
        >
          <Way timeline={timeline} />
        </Section>
      </Tabs.Panel>
      <Tabs.Panel value="content">{children}</Tabs.Panel>
    </Tabs>
  );
}
