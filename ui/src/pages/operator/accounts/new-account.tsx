import { Checkbox, Modal, Select, TextInput } from "@mantine/core";
import { useNavigate } from "react-router";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import type { Account } from "./account";

interface Props {
  opened: boolean;
  close: () => void;
  plans: string[];
}

export function NewAccount({ opened, close, plans }: Props) {
  return (
    <Modal opened={opened} onClose={close} title="Add an account">
      <NewForm close={close} plans={plans} />
    </Modal>
  );
}

function NewForm({ close, plans }: Omit<Props, "opened">) {
  const navigate = useNavigate();
  const form = useApiForm<{ name: string; plan: string; approved: boolean }, Account>({
    initialValues: { name: "", plan: "", approved: true },
    send: (values) => data(console.POST("/operator/accounts", { body: values })),
    refresh: [["accounts"]],
    done: (made) => {
      notifyDone(`${made.name} is there.`);
      navigate(`/operator/accounts/${made.id}`);
    },
  });
  return (
    <Form form={form} submit="Add it" cancel={close}>
      <TextInput label="Name" required data-autofocus {...form.getInputProps("name")} />
      {plans.length > 0 && (
        <Select
          label="Plan"
          placeholder="No plan"
          clearable
          data={plans}
          {...form.getInputProps("plan")}
          value={form.values.plan || null}
          onChange={(plan) => form.setFieldValue("plan", plan ?? "")}
        />
      )}
      <Checkbox
        label="Approved: it may send to everybody at once"
        {...form.getInputProps("approved", { type: "checkbox" })}
      />
    </Form>
  );
}
