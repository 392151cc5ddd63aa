/** A new password by mail: asking for the link, and what the link opens. */
import { PasswordInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useNavigate } from "react-router";
import { body, console, data } from "@/api/client";
import { Entry, EntryLink } from "@/components/entry";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { SecretLink } from "@/components/secret-link";
import { useToken } from "@/lib/token";

export default function Reset() {
  const token = useToken();
  if (!token) return <AskForLink />;
  return (
    <SecretLink
      title="Set a new password"
      queryKey={["password-reset", token]}
      look={() => data(console.POST("/password-resets/look", { body: { token } }))}
    >
      {(found) => <NewPassword token={token} email={found.email} />}
    </SecretLink>
  );
}

function AskForLink() {
  const [sentTo, setSentTo] = useState("");
  const form = useApiForm({
    initialValues: { email: "" },
    send: (values) => body(console.POST("/password-resets", { body: values })),
    done: (_, values) => setSentTo(values.email),
  });
  const back = <EntryLink to="/sign-in">Back to sign-in</EntryLink>;
  if (sentTo) {
    return (
      <Entry title="Look into your mail" footer={back}>
        <Text size="sm">
          If somebody signs in here with {sentTo}, a link to set a new password is on its way. It is good
          once, for an hour.
        </Text>
        <Text size="sm" c="dimmed">
          On an installation that cannot send mail yet, ask the operator for a sign-in link:
          <br />
          <code>postroom user sign-in-link {sentTo}</code>
        </Text>
      </Entry>
    );
  }
  return (
    <Entry title="Forgot the password?" about="You get a link by mail that sets a new one." footer={back}>
      <Form form={form} submit="Send the link" wide>
        <TextInput
          label="Email"
          type="email"
          autoComplete="username"
          autoFocus
          required
          {...form.getInputProps("email")}
        />
      </Form>
    </Entry>
  );
}

function NewPassword({ token, email }: { token: string; email: string }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { password: "" },
    send: (values) => body(console.POST("/password-resets/use", { body: { token, ...values } })),
    done: () => {
      notifyDone("The password is set. Sign in with it.");
      navigate("/sign-in");
    },
  });
  return (
    <Entry title="Set a new password" about={`For ${email}. It ends all sessions.`}>
      <Form form={form} submit="Set the password" wide>
        <input type="hidden" autoComplete="username" value={email} />
        <PasswordInput
          label="New password"
          description="At least 10 characters"
          autoComplete="new-password"
          autoFocus
          required
          {...form.getInputProps("password")}
        />
      </Form>
    </Entry>
  );
}
