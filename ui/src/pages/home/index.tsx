/** Today at a glance: what needs a hand, what happened, what waits, what is left of the quota. */
import { Grid, Skeleton, Stack } from "@mantine/core";
import { IconBuilding } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { console, data } from "@/api/client";
import { Empty } from "@/components/empty";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { useTimeZone } from "@/components/time";
import { FirstRunCard } from "@/pages/first-run/card";
import { useSession } from "@/session/session";
import { Day } from "./day";
import { Numbers } from "./numbers";
import { Problems } from "./problems";
import { Queue } from "./queue";
import { Quota } from "./quota";

const EVERY = 15_000;

export default function Home() {
  const { user, accounts, account_id } = useSession();
  const zone = useTimeZone() || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const home = useQuery({
    queryKey: ["home", { zone }],
    queryFn: () => data(console.GET("/home", { params: { query: { tz: zone } } })),
    refetchInterval: EVERY,
    enabled: account_id !== null,
  });
  const account = accounts.find((one) => one.id === account_id);
  if (account_id === null) return <NoAccount />;
  const title = user.name ? `Hello, ${user.name}` : "Home";
  return (
    <Page title={title} about={account && `Today in ${account.name}`}>
      {user.operator && account_id !== null && <FirstRunCard />}
      {home.error && <Problem error={home.error} retry={() => home.refetch()} />}
      {home.data ? (
        <Stack gap="lg">
          <Problems problems={home.data.problems} />
          {home.data.today && <Numbers today={home.data.today} />}
          {home.data.hours && <Day hours={home.data.hours} zone={home.data.time_zone} />}
          <Grid gap="lg">
            {home.data.queue && (
              <Grid.Col span={{ base: 12, sm: 6 }}>
                <Queue queue={home.data.queue} />
              </Grid.Col>
            )}
            <Grid.Col span={{ base: 12, sm: 6 }}>
              <Quota quota={home.data.quota} />
            </Grid.Col>
          </Grid>
        </Stack>
      ) : (
        home.isPending && <Waiting />
      )}
    </Page>
  );
}

function NoAccount() {
  return (
    <Page title="Home">
      <Empty title="You belong to no account" icon={IconBuilding}>
        An Admin of an account invites you to it; the operator of this installation can make one: postroom
        account add.
      </Empty>
    </Page>
  );
}

function Waiting() {
  return (
    <Stack gap="lg" aria-busy="true">
      <Skeleton h={96} radius="lg" />
      <Skeleton h={300} radius="lg" />
      <Skeleton h={130} radius="lg" />
    </Stack>
  );
}
