/** Whether the account may send to the world and how much a day; asking for either. */
import { Skeleton, Stack } from "@mantine/core";
import { Page } from "@/components/page";
import { Problem } from "@/components/problem";
import { State } from "@/components/state";
import { type Approval, useApproval, useQuota } from "./approval";
import { Meanwhile } from "./meanwhile";
import { QuotaSection } from "./quota";
import { Standing } from "./standing";

export default function ApprovalPage() {
  const approval = useApproval();
  const quota = useQuota();
  const error = approval.error ?? quota.error;
  return (
    <Page
      title="Approval"
      about="Whether this account may send to the world, and how much a day."
      badge={approval.data && <Chip state={approval.data.state} />}
    >
      {error && <Problem error={error} retry={() => Promise.all([approval.refetch(), quota.refetch()])} />}
      {approval.data && quota.data ? (
        <Stack gap="lg">
          <Standing approval={approval.data} />
          {approval.data.state !== "approved" && <Meanwhile />}
          <QuotaSection quota={quota.data} />
        </Stack>
      ) : (
        !error && <Skeleton h={480} radius="lg" />
      )}
    </Page>
  );
}

function Chip({ state }: { state: Approval["state"] }) {
  if (state === "approved") return <State kind="good">Approved</State>;
  if (state === "refused") return <State kind="bad">Refused</State>;
  if (state === "submitted") return <State kind="waiting">Waits for the operator</State>;
  return <State kind="quiet">Not asked yet</State>;
}
