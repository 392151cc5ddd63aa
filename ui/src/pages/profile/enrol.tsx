/** Switching the second step on: the password, the QR code and a code of the app, then the recovery codes. */
import { Button, Center, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { renderSVG } from "uqr";
import { console, data } from "@/api/client";
import { Copyable } from "@/components/copy";
import { Form, useApiForm } from "@/components/form";
import { Secret } from "@/components/secret";
import type { components } from "@/generated/console";
import { renew, useSession } from "@/session/session";
import { PresentPassword } from "./present-password";

type Enrolment = components["schemas"]["EnrolmentOut"];

export function Enrol({ close }: { close: () => void }) {
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  if (codes) return <Codes codes={codes} close={close} />;
  if (enrolment) return <Scan enrolment={enrolment} done={setCodes} />;
  return <Begin done={setEnrolment} cancel={close} />;
}

function Begin({ done, cancel }: { done: (enrolment: Enrolment) => void; cancel: () => void }) {
  const form = useApiForm({
    initialValues: { password: "" },
    send: (values) => data(console.POST("/second-factor", { body: { password: values.password || null } })),
    done,
  });
  return (
    <Form form={form} submit="Continue" cancel={cancel}>
      <PresentPassword {...form.getInputProps("password")} />
    </Form>
  );
}

function Scan({ enrolment, done }: { enrolment: Enrolment; done: (codes: string[]) => void }) {
  const form = useApiForm({
    initialValues: { code: "" },
    send: (values) => data(console.POST("/second-factor/confirm", { body: values })),
    refresh: [["second-factor"], ["sessions"]],
    done: (confirmed) => {
      renew(confirmed.session);
      done(confirmed.recovery_codes);
    },
  });
  // White around it in dark mode, too: cameras want it so.
  const picture = `data:image/svg+xml,${encodeURIComponent(renderSVG(enrolment.url, { border: 2 }))}`;
  return (
    <Form form={form} submit="Switch it on">
      <Text size="sm">Scan this with an authenticator app, or type in the secret.</Text>
      <Center>
        <img src={picture} alt="QR code of the secret below" width={200} height={200} />
      </Center>
      <Copyable value={enrolment.secret} what="the secret" />
      <TextInput
        label="Code"
        description="The six digits that the app shows now"
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        data-autofocus
        {...form.getInputProps("code")}
      />
    </Form>
  );
}

export function Codes({ codes, close }: { codes: string[]; close: () => void }) {
  const { user } = useSession();
  return (
    <Stack>
      <Text size="sm">
        Each of these recovery codes signs you in once, should the phone be lost. Keep them elsewhere.
      </Text>
      <Secret
        value={codes.join("\n")}
        file="postroom-recovery-codes.txt"
        heading={`Recovery codes of ${user.email} at ${window.location.host}`}
      />
      <Button onClick={close}>I have kept them</Button>
    </Stack>
  );
}
