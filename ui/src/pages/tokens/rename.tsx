import { Modal, TextInput } from "@mantine/core";
import type { QueryKey } from "@tanstack/react-query";
import { data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import type { Token } from "./token";

interface Props {
  token: Token | null;
  close: () => void;
  refresh: QueryKey[];
}

export function Rename({ token, ...props }: Props) {
  return (
    <Modal opened={token !== null} onClose={props.close} title={token && `Rename ${token.name}`}>
      {token && <RenameForm token={token} {...props} />}
    </Modal>
  );
}

function RenameForm({ token, close, refresh }: Props & { token: Token }) {
  const form = useApiForm({
    initialValues: { name: token.name },
    send: (values) =>
      data(v1.PUT("/token/{token_id}", { params: { path: { token_id: token.id } }, body: values })),
    refresh,
    done: (changed) => {
      notifyDone(`It is called ${changed.name} now.`);
      close();
    },
  });
  return (
    <Form form={form} submit="Rename" cancel={close}>
      <TextInput
        label="Name"
        description="Whatever uses the token goes on."
        required
        maxLength={50}
        data-autofocus
        {...form.getInputProps("name")}
      />
    </Form>
  );
}
