/** SMTP: where to connect, and who may. */
import { Alert, Button, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAlertTriangle, IconPlus } from "@tabler/icons-react";
import { type Ref, useState } from "react";
import { useFocusBack } from "@/components/focus";
import { Form, useApiForm } from "@/components/form";
import { Section } from "@/components/section";
import { useMay } from "@/session/session";
import type { Domain } from "../domain";
import { FirstVerify } from "../notices";
import { Credentials } from "./credentials";
import { Fields } from "./fields";
import { Server } from "./server";
import { make, NEW, type SmtpUser, type Values } from "./user";
import { Users } from "./users";

export function Smtp({ domain }: { domain: Domain }) {
  const [generating, generate] = useDisclosure();
  const [shown, show] = useState<SmtpUser | null>(null);
  const [first, focusBack] = useFocusBack();
  const may = useMay("manage-smtp-users");
  const made = (user: SmtpUser) => {
    generate.close();
    show(user);
  };
  const button = (ref?: Ref<HTMLButtonElement>) =>
    may && (
      <Button ref={ref} leftSection={<IconPlus size={17} />} onClick={generate.open}>
        Generate new user
      </Button>
    );
  return (
    <Stack gap="lg">
      {!domain.domain_settings.smtp_enabled && (
        <Alert color="yellow" variant="light" icon={<IconAlertTriangle />} title="SMTP is switched off">
          The SMTP users of this domain cannot log in. The switch is under Settings.
        </Alert>
      )}
      <Server />
      <Section
        flush
        title="SMTP users"
        about={
          <>
            One for each program: each can be switched off by itself.{" "}
            <FirstVerify
              domain={domain}
              what="They can log in at once; what they send is accepted once the domain is verified."
            />
          </>
        }
        actions={button(first)}
      >
        <Users domain={domain} show={show} action={button()} />
      </Section>
      <Modal opened={generating} onClose={generate.close} title="Generate an SMTP user" size="lg">
        <Generate domain={domain} done={made} close={generate.close} />
      </Modal>
      <Modal
        opened={shown !== null}
        onClose={() => show(null)}
        title={shown && `SMTP user ${shown.name}`}
        size="lg"
        closeOnClickOutside={false}
        closeOnEscape={false}
        onExitTransitionEnd={focusBack}
      >
        {shown && <Credentials user={shown} domain={domain} close={() => show(null)} />}
      </Modal>
    </Stack>
  );
}

interface GenerateProps {
  domain: Domain;
  done: (user: SmtpUser) => void;
  close: () => void;
}

function Generate({ domain, done, close }: GenerateProps) {
  const form = useApiForm<Values, SmtpUser>({
    initialValues: NEW,
    send: (values) => make(domain.id, values),
    refresh: [["smtp-users", domain.id], ["home"]],
    done,
  });
  return (
    <Form form={form} submit="Generate" cancel={close}>
      <Fields form={form} />
    </Form>
  );
}
