import { Anchor, Modal, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { body, data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";

const MOST = 100;
const LONGEST_NOTE = 250;

export function NewIdentity({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="New sender identity" size="lg">
      <NewForm close={close} />
    </Modal>
  );
}

function NewForm({ close }: { close: () => void }) {
  const domains = useQuery({
    queryKey: ["domains", "verified"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST, verified: true } } })),
  });
  const form = useApiForm({
    initialValues: {
      domain_id: "",
      email: "",
      name: "",
      reply_to_email: "",
      reply_to_name: "",
      personal_note: "",
    },
    send: ({ reply_to_email, personal_note, ...values }) =>
      data(
        v1.POST("/identities", {
          body: {
            ...values,
            ...(reply_to_email && { reply_to_email }),
            ...(personal_note && { personal_note, add_note: true }),
          },
        }),
      ),
    refresh: [["identities"]],
    done: ({ email }) => {
      notifyDone(`${email} gets a mail with a link. You can send from it once they have agreed.`);
      close();
    },
  });
  const found = domains.data?.data ?? [];
  if (domains.data && found.length === 0) {
    return (
      <Text size="sm">
        One of your domains signs what is sent from the address.{" "}
        <Anchor component={Link} to="/domains" inherit underline="always">
          Verify a domain
        </Anchor>{" "}
        first.
      </Text>
    );
  }
  return (
    <Form form={form} submit="Ask its owner" cancel={close}>
      <TextInput
        label="Address"
        description="Exactly this address may be sent from. Its owner gets a mail and agrees."
        type="email"
        required
        data-autofocus
        placeholder="ben@client.example"
        {...form.getInputProps("email")}
      />
      <Select
        label="Signed by"
        description="One of your verified domains."
        required
        searchable
        data={found.map(({ id, name }) => ({ value: id, label: name }))}
        {...form.getInputProps("domain_id")}
      />
      <TextInput
        label="Name"
        description="Stands beside the address where a message has none."
        {...form.getInputProps("name")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput label="Answers go to" type="email" {...form.getInputProps("reply_to_email")} />
        <TextInput label="Name beside that" {...form.getInputProps("reply_to_name")} />
      </SimpleGrid>
      <Stack gap={2}>
        <Textarea
          label="Note to the owner"
          description="In the mail that asks them."
          autosize
          minRows={2}
          maxLength={LONGEST_NOTE}
          {...form.getInputProps("personal_note")}
        />
      </Stack>
    </Form>
  );
}
