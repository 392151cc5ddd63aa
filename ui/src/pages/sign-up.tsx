/** An account for who has none, where the operator lets people make some: an address, a link in the mail, then the rest. */
import { PasswordInput, SimpleGrid, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { body, console, data } from "@/api/client";
import { Entry, EntryLink } from "@/components/entry";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { SecretLink } from "@/components/secret-link";
import { useToken } from "@/lib/token";
import { signUpQuery } from "@/session/sign-up";

export default function SignUp() {
  const token = useToken();
  if (!token) return <AskForLink />;
  return (
    <SecretLink
      title="Sign up"
      queryKey={["sign-up", token]}
      look={() => data(console.POST("/sign-up/look", { body: { token } }))}
    >
      {(found) => <NewAccount token={token} email={found.email} />}
    </SecretLink>
  );
}

function AskForLink() {
  const [sentTo, setSentTo] = useState("");
  const signUp = useQuery(signUpQuery);
  const form = useApiForm({
    initialValues: { email: "" },
    send: (values) => body(console.POST("/sign-up", { body: values })),
    done: (_, values) => setSentTo(values.email),
  });
  const back = <EntryLink to="/sign-in">Back to sign-in</EntryLink>;
  if (signUp.data?.mode === "closed") {
    return (
      <Entry title="Sign-up is closed" footer={back}>
        <Text size="sm">
          Accounts of this installation are made by its operator. Ask them, or somebody with an account for an
          invitation.
        </Text>
      </Entry>
    );
  }
  if (sentTo) {
    return (
      <Entry title="Look into your mail" footer={back}>
        <Text size="sm">A link is on its way to {sentTo}. It leads on to your account.</Text>
      </Entry>
    );
  }
  return (
    <Entry title="Sign up" about="An operator approves new accounts before they can send." footer={back}>
      <Form form={form} submit="Send the link" wide>
        <TextInput
          label="Email"
          type="email"
          autoComplete="email"
          autoFocus
          required
          {...form.getInputProps("email")}
        />
      </Form>
    </Entry>
  );
}

function NewAccount({ token, email }: { token: string; email: string }) {
  const navigate = useNavigate();
  const form = useApiForm({
    initialValues: { account: "", name: "", last_name: "", password: "" },
    send: (values) => body(console.POST("/sign-up/confirm", { body: { token, ...values } })),
    done: () => {
      notifyDone("The account is made. Sign in to it.");
      navigate("/sign-in");
    },
  });
  return (
    <Entry title="Your account" about={`For ${email}`}>
      <Form form={form} submit="Make the account" wide>
        <TextInput
          label="Name of the account"
          description="Of your company or project"
          autoComplete="organization"
          autoFocus
          required
          {...form.getInputProps("account")}
        />
        <SimpleGrid cols={2} spacing="sm">
          <TextInput label="First name" autoComplete="given-name" required {...form.getInputProps("name")} />
          <TextInput label="Last name" autoComplete="family-name" {...form.getInputProps("last_name")} />
        </SimpleGrid>
        <input type="hidden" autoComplete="username" value={email} />
        <PasswordInput
          label="Password"
          description="At least 10 characters"
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
      </Form>
    </Entry>
  );
}
