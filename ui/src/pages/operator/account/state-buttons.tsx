import { Button, Modal, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { console, data } from "@/api/client";
import { useChange } from "@/api/queries";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import type { Account } from "../accounts/account";

const REFRESHED = [["accounts"], ["requests"], ["session"]];

export function StateButtons({ account }: { account: Account }) {
  const [suspending, suspend] = useDisclosure();
  const params = { path: { account_id: account.id } };
  const approve = useChange(() => data(console.POST("/operator/accounts/{account_id}/approve", { params })), {
    refresh: REFRESHED,
    done: () => notifyDone(`${account.name} may send.`),
  });
  const lift = useChange(() => data(console.POST("/operator/accounts/{account_id}/unsuspend", { params })), {
    refresh: REFRESHED,
    done: () => notifyDone("The suspension is lifted; what was held is queued again."),
  });
  if (account.state === "suspended") {
    return (
      <Button loading={lift.isPending} onClick={() => lift.mutate(undefined)}>
        Lift the suspension
      </Button>
    );
  }
  return (
    <>
      <Button variant="default" onClick={suspend.open}>
        Suspend ...
      </Button>
      {account.state === "unapproved" && (
        <Button loading={approve.isPending} onClick={() => approve.mutate(undefined)}>
          Approve
        </Button>
      )}
      <Modal opened={suspending} onClose={suspend.close} title={`Suspend ${account.name}?`}>
        <Suspend account={account} close={suspend.close} />
      </Modal>
    </>
  );
}

function Suspend({ account, close }: { account: Account; close: () => void }) {
  const form = useApiForm({
    initialValues: { reason: "" },
    send: (values) =>
      data(
        console.POST("/operator/accounts/{account_id}/suspend", {
          params: { path: { account_id: account.id } },
          body: values,
        }),
      ),
    refresh: REFRESHED,
    done: () => {
      notifyDone(`${account.name} is suspended.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Suspend the account" danger cancel={close}>
      <Textarea
        label="Why"
        description="It stops sending within 10 seconds, its people and tokens are shut out, and what is queued is held. This is your own note."
        autosize
        minRows={2}
        data-autofocus
        {...form.getInputProps("reason")}
      />
    </Form>
  );
}
