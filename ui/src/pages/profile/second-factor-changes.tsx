import { Text } from "@mantine/core";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { renew } from "@/session/session";
import { Codes } from "./enrol";
import { PresentPassword } from "./present-password";

export function NewCodes({ close }: { close: () => void }) {
  const [codes, setCodes] = useState<string[] | null>(null);
  const form = useApiForm({
    initialValues: { password: "" },
    send: (values) =>
      data(console.POST("/second-factor/recovery-codes", { body: { password: values.password || null } })),
    refresh: [["second-factor"]],
    done: (made) => setCodes(made.recovery_codes),
  });
  if (codes) return <Codes codes={codes} close={close} />;
  return (
    <Form form={form} submit="Make new codes" cancel={close}>
      <Text size="sm">Those you have are good for nothing afterwards.</Text>
      <PresentPassword {...form.getInputProps("password")} />
    </Form>
  );
}

export function Disable({ close }: { close: () => void }) {
  const form = useApiForm({
    initialValues: { password: "" },
    send: (values) => data(console.DELETE("/second-factor", { body: { password: values.password || null } })),
    refresh: [["second-factor"], ["sessions"]],
    done: (session) => {
      renew(session);
      notifyDone("Signing in takes the password only. All other sessions have ended.");
      close();
    },
  });
  return (
    <Form form={form} submit="Switch it off" danger cancel={close}>
      <Text size="sm">Whoever knows your password can then sign in.</Text>
      <PresentPassword {...form.getInputProps("password")} />
    </Form>
  );
}
