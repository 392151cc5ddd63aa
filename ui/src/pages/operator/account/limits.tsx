import { Modal, NumberInput, Select } from "@mantine/core";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { type Account, usePlanNames } from "../accounts/account";

interface Props {
  account: Account;
  opened: boolean;
  close: () => void;
}

export function ChangePlan({ opened, ...props }: Props) {
  return (
    <Modal opened={opened} onClose={props.close} title="Change the plan">
      <PlanForm {...props} />
    </Modal>
  );
}

function PlanForm({ account, close }: Omit<Props, "opened">) {
  const plans = usePlanNames();
  const form = useApiForm({
    initialValues: { plan: account.plan },
    send: (values) =>
      data(
        console.PUT("/operator/accounts/{account_id}/plan", {
          params: { path: { account_id: account.id } },
          body: values,
        }),
      ),
    refresh: [["accounts"]],
    done: (changed) => {
      notifyDone(changed.plan ? `It is on the plan ${changed.plan} now.` : "It has no plan now.");
      close();
    },
  });
  return (
    <Form form={form} submit="Save" cancel={close}>
      <Select
        label="Plan"
        description={
          plans.length > 0
            ? "What it has too much of for the plan stays; it cannot add more."
            : "The configuration has no plans yet: they are tables like [plans.business]."
        }
        placeholder="No plan"
        clearable
        data={plans}
        {...form.getInputProps("plan")}
        value={form.values.plan || null}
        onChange={(plan) => form.setFieldValue("plan", plan ?? "")}
      />
    </Form>
  );
}

export function ChangeQuota({ opened, ...props }: Props) {
  return (
    <Modal opened={opened} onClose={props.close} title="Change the quota">
      <QuotaForm {...props} />
    </Modal>
  );
}

function QuotaForm({ account, close }: Omit<Props, "opened">) {
  const form = useApiForm<{ daily_quota: number | "" }, Account>({
    initialValues: { daily_quota: account.daily_quota ?? "" },
    send: ({ daily_quota }) =>
      data(
        console.PUT("/operator/accounts/{account_id}/quota", {
          params: { path: { account_id: account.id } },
          body: { daily_quota: daily_quota === "" ? null : daily_quota },
        }),
      ),
    refresh: [["accounts"]],
    done: () => {
      notifyDone("The quota is changed.");
      close();
    },
  });
  return (
    <Form form={form} submit="Save" cancel={close}>
      <NumberInput
        label="Emails a day"
        description="Empty: what the plan or the configuration says; 0: no limit."
        min={0}
        allowDecimal={false}
        thousandSeparator=","
        data-autofocus
        {...form.getInputProps("daily_quota")}
      />
    </Form>
  );
}
