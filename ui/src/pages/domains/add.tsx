import { List, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "react-router";
import { data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";

export function AddDomain({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Add a domain">
      <AddForm close={close} />
    </Modal>
  );
}

function AddForm({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { name: "" },
    send: ({ name }) => data(v1.POST("/domains", { body: { name: name.trim() } })),
    refresh: [["domains"]],
    done: (made) => navigate(`/domains/${made.id}?tab=dns`),
  });
  return (
    <Form form={form} submit="Add the domain" cancel={close}>
      <TextInput
        label="Name"
        description="What stands after the @ of the addresses you send from."
        placeholder="example.com"
        required
        data-autofocus
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        {...form.getInputProps("name")}
      />
      <Stack gap={4}>
        <Text size="sm" fw={500}>
          What comes next
        </Text>
        <List size="sm" type="ordered" c="dimmed">
          <List.Item>Publish the DNS records that are shown, where the domain's DNS is kept.</List.Item>
          <List.Item>
            Check them here: one record is enough to send, the others help mail to arrive.
          </List.Item>
          <List.Item>Generate an SMTP user, and send.</List.Item>
        </List>
      </Stack>
    </Form>
  );
}
