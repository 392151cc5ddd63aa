/** Another address to sign in with. It changes when the link in the mail to it is used. */
import { Button, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Copyable } from "@/components/copy";
import { Form, useApiForm } from "@/components/form";
import { Section } from "@/components/section";
import type { components } from "@/generated/console";
import { useSession } from "@/session/session";
import { PresentPassword } from "./present-password";

type Requested = components["schemas"]["RequestedOut"];

export function Email() {
  const { user } = useSession();
  const [changing, change] = useDisclosure();
  return (
    <>
      <Section
        title="Email address"
        about={`You sign in with ${user.email}, and get mail about your accounts there.`}
        actions={
          <Button variant="default" onClick={change.open}>
            Change it
          </Button>
        }
      />
      <Modal opened={changing} onClose={change.close} title="Another email address">
        <ChangeEmail close={change.close} />
      </Modal>
    </>
  );
}

function ChangeEmail({ close }: { close: () => void }) {
  const { user } = useSession();
  const [requested, setRequested] = useState<Requested | null>(null);
  const form = useApiForm({
    initialValues: { email: "", password: "", code: "" },
    send: (values) => data(console.POST("/email-changes", { body: values })),
    done: setRequested,
  });
  if (requested) return <OnItsWay requested={requested} close={close} />;
  return (
    <Form form={form} submit="Send the link" cancel={close}>
      <Text size="sm">
        A link goes to the new address, and nothing changes until it is opened. {user.email} is told.
      </Text>
      <TextInput
        label="New email address"
        type="email"
        autoComplete="off"
        required
        data-autofocus
        {...form.getInputProps("email")}
      />
      <PresentPassword data-autofocus={undefined} {...form.getInputProps("password")} />
      {user.two_factor && (
        <TextInput
          label="Code of your app"
          description="Or a recovery code."
          autoComplete="one-time-code"
          inputMode="numeric"
          required
          {...form.getInputProps("code")}
        />
      )}
    </Form>
  );
}

/** As long as Postroom's own mail cannot leave, an operator opens the link here, and others ask one for it. */
function OnItsWay({
  requested: { email, leaves, link },
  close,
}: {
  requested: Requested;
  close: () => void;
}) {
  return (
    <Stack>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {leaves && `A link is on its way to ${email}. It is good once, for a day.`}
        {!leaves && link && `Postroom cannot send mail of its own yet, so here is the link for ${email}.`}
        {!leaves &&
          !link &&
          "Postroom cannot send mail of its own yet. Ask the operator of this installation for the link: it is in their sandbox inbox."}
      </Text>
      {link && <Copyable value={link} what="the link" />}
      <Button onClick={close} w="fit-content" data-autofocus>
        Done
      </Button>
    </Stack>
  );
}
