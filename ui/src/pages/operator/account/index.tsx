/** One account, as its operator sees it: how it stands, and what may be done about it. */
import { Button, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useParams } from "react-router";
import { console, data } from "@/api/client";
import { Copyable } from "@/components/copy";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { Time } from "@/components/time";
import { count } from "@/lib/numbers";
import { type Account, usage } from "../accounts/account";
import { AccountChip } from "../accounts/chip";
import { ChangePlan, ChangeQuota } from "./limits";
import { StateButtons } from "./state-buttons";

const BACK = { to: "/operator/accounts", label: "Accounts" };

export default function AccountPage() {
  const { accountId = "" } = useParams();
  const account = useQuery({
    queryKey: ["accounts", accountId],
    queryFn: () =>
      data(console.GET("/operator/accounts/{account_id}", { params: { path: { account_id: accountId } } })),
  });
  return (
    <Page
      title={account.data?.name ?? "Account"}
      back={BACK}
      badge={account.data && <AccountChip state={account.data.state} />}
      actions={account.data && <StateButtons account={account.data} />}
    >
      {account.error && <Problem error={account.error} retry={() => account.refetch()} />}
      {account.data ? (
        <Facts account={account.data} />
      ) : (
        account.isPending && <Skeleton h={320} radius="lg" />
      )}
    </Page>
  );
}

function Facts({ account }: { account: Account }) {
  return (
    <Stack gap="lg">
      {account.state_reason && (
        <Section title="Note of the suspension">
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {account.state_reason}
          </Text>
        </Section>
      )}
      <Limits account={account} />
      <Section title="About it">
        <SimpleGrid component="dl" cols={{ base: 1, sm: 3 }} my={0}>
          <Fact name="Id">
            <Copyable value={account.id} what="the id" />
          </Fact>
          <Fact name="Since">
            <Time at={account.created_at} is="exact" />
          </Fact>
          <Fact name="Approved">
            {account.approved_at ? <Time at={account.approved_at} is="exact" /> : "Not yet"}
          </Fact>
        </SimpleGrid>
      </Section>
    </Stack>
  );
}

function Limits({ account }: { account: Account }) {
  const [planning, plan] = useDisclosure();
  const [limiting, limit] = useDisclosure();
  const own = account.daily_quota !== null;
  return (
    <Section
      title="Plan and quota"
      actions={
        <>
          <Button variant="default" onClick={plan.open}>
            Change the plan
          </Button>
          <Button variant="default" onClick={limit.open}>
            Change the quota
          </Button>
        </>
      }
    >
      <SimpleGrid component="dl" cols={{ base: 1, sm: 3 }} my={0}>
        <Fact name="Plan">{account.plan || "None"}</Fact>
        <Fact name="Emails a day">
          {account.quota_today === null ? "No limit" : count(account.quota_today)}
          <Text size="xs" c="dimmed">
            {own ? "Its own quota" : "As its plan or the configuration says"}
          </Text>
        </Fact>
        <Fact name="Sent today">
          {usage(account)}
          {account.held_for_tomorrow > 0 && (
            <Text size="xs" c="dimmed">
              {count(account.held_for_tomorrow)} wait for tomorrow
            </Text>
          )}
        </Fact>
      </SimpleGrid>
      <ChangePlan account={account} opened={planning} close={plan.close} />
      <ChangeQuota account={account} opened={limiting} close={limit.close} />
    </Section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Stack gap={0}>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0}>
        {children}
      </Text>
    </Stack>
  );
}
