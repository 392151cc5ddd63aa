/** What the plans of the configuration allow; they are changed there. */
import { SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import type { components } from "@/generated/console";
import { count } from "@/lib/numbers";
import { usePlans } from "../accounts/account";

type Plan = components["schemas"]["PlanOut"];

export default function Plans() {
  const plans = usePlans();
  return (
    <Page
      title="Plans"
      about="What accounts may do. Plans are tables of the configuration, like [plans.business]; Postroom reads them when it starts."
    >
      {plans.error && <Problem error={plans.error} retry={() => plans.refetch()} />}
      {plans.data ? (
        <Stack gap="lg">
          {plans.data.map((plan) => (
            <PlanSection key={plan.name} plan={plan} />
          ))}
        </Stack>
      ) : (
        plans.isPending && <Skeleton h={320} radius="lg" />
      )}
    </Page>
  );
}

function PlanSection({ plan }: { plan: Plan }) {
  return (
    <Section title={plan.name || "Without a plan"}>
      <SimpleGrid component="dl" cols={{ base: 2, sm: 3, md: 4 }} my={0}>
        {facts(plan).map(([name, value]) => (
          <Stack key={name} gap={0}>
            <Text component="dt" size="xs" c="dimmed">
              {name}
            </Text>
            <Text component="dd" size="sm" m={0}>
              {value}
            </Text>
          </Stack>
        ))}
      </SimpleGrid>
    </Section>
  );
}

function facts(plan: Plan): [string, string][] {
  return [
    ["Emails a day", limit(plan.daily_quota)],
    ["Beyond that", plan.over_quota === "hold" ? "Held for the next day" : "Refused"],
    ["Messages a minute", limit(plan.messages_per_minute)],
    ["API requests a day", limit(plan.requests_per_day)],
    ["Messages in a bulk request", count(plan.bulk_emails)],
    ["Recipients of a message", limit(plan.recipients)],
    ["Domains", limit(plan.domains)],
    ["Users", limit(plan.users)],
    ["Tokens", limit(plan.tokens)],
    ["SMTP users of a domain", limit(plan.smtp_users)],
    ["Webhooks of a domain", limit(plan.webhooks)],
    ["Templates", limit(plan.templates)],
    ["Sender identities", limit(plan.sender_identities)],
    ["Inbound routes", limit(plan.inbound_routes)],
    ["Own headers", plan.custom_headers ? "Yes" : "No"],
    ["Keeps content", plan.track_content ? "Yes" : "No"],
  ];
}

function limit(value: number | null): string {
  return value === null ? "No limit" : count(value);
}
