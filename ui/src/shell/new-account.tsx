import { Modal, TextInput } from "@mantine/core";
import { console, data } from "@/api/client";
import { SESSION } from "@/api/queries";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { useSession } from "@/session/session";

interface Props {
  opened: boolean;
  close: () => void;
  /** Work in the new account from now on. */
  enter: (accountId: string) => void;
}

export function NewAccount({ opened, close, enter }: Props) {
  return (
    <Modal opened={opened} onClose={close} title="New account">
      <NewAccountForm close={close} enter={enter} />
    </Modal>
  );
}

function NewAccountForm({ close, enter }: Omit<Props, "opened">) {
  const { operator } = useSession().user;
  const form = useApiForm({
    initialValues: { name: "" },
    send: (values) => data(console.POST("/accounts", { body: values })),
    refresh: [[...SESSION]],
    done: (made) => {
      notifyDone(`You work in ${made.name} now.`);
      close();
      enter(made.id);
    },
  });
  const state = operator ? "it is approved at once." : "an operator approves it before it can send.";
  return (
    <Form form={form} submit="Make the account" cancel={close}>
      <TextInput
        label="Name of the account"
        description={`Of a company or project. It has domains, people and limits of its own. You are its Admin, and ${state}`}
        required
        maxLength={191}
        data-autofocus
        {...form.getInputProps("name")}
      />
    </Form>
  );
}
