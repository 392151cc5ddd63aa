import { Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { InviteLink } from "./invite-link";
import { type Granted, grantOf, RoleFields } from "./role-fields";

export function Invite({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Invite somebody">
      <InviteForm close={close} />
    </Modal>
  );
}

function InviteForm({ close }: { close: () => void }) {
  const [made, setMade] = useState<{ email: string; link: string } | null>(null);
  const form = useApiForm<Granted & { email: string }, { email: string; link: string | null }>({
    initialValues: { email: "", role: "Manager", permissions: [], domains: [], templates: [] },
    send: (values) => data(console.POST("/invites", { body: { email: values.email, ...grantOf(values) } })),
    refresh: [["invites"]],
    done: ({ email, link }) => {
      if (link) return setMade({ email, link });
      notifyDone(`The invitation is on its way to ${email}.`);
      close();
    },
  });
  if (made) return <InviteLink {...made} close={close} />;
  return (
    <Form form={form} submit="Invite" cancel={close}>
      <TextInput label="Email" type="email" required data-autofocus {...form.getInputProps("email")} />
      <RoleFields form={form} />
    </Form>
  );
}
