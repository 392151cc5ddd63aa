/** Signing in: a password or a link, and the second step of who has one. Then back to where one was. */
import { PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate, useLocation } from "react-router";
import { console, data } from "@/api/client";
import { Entry, EntryButton, EntryLink } from "@/components/entry";
import { Form, useApiForm } from "@/components/form";
import type { components } from "@/generated/console";
import { useToken } from "@/lib/token";
import { wayBack } from "@/session/guard";
import { begin, type Session, useSessionQuery } from "@/session/session";
import { signUpQuery } from "@/session/sign-up";

type Answer = Session | components["schemas"]["SecondStepOut"];

export default function SignIn() {
  const { search } = useLocation();
  const session = useSessionQuery();
  const link = useToken("link");
  const [over, setOver] = useState(""); // the link that was used, or is not to be
  const [second, setSecond] = useState(false);
  const byLink = link !== over;
  const answered = (answer: Answer) => {
    setOver(link);
    if ("csrf_token" in answer) begin(answer);
    else setSecond(true);
  };

  if (session.data && !byLink) return <Navigate to={wayBack(search)} replace />;
  if (second) return <SecondStep again={() => setSecond(false)} />;
  if (byLink) return <ByLink link={link} answered={answered} instead={() => setOver(link)} />;
  return <ByPassword answered={answered} />;
}

function ByPassword({ answered }: { answered: (answer: Answer) => void }) {
  const signUp = useQuery(signUpQuery);
  const form = useApiForm({
    initialValues: { email: "", password: "" },
    send: (values) => data(console.POST("/session", { body: values })),
    done: answered,
  });
  return (
    <Entry
      title="Sign in"
      footer={
        signUp.data?.mode === "approval" && (
          <>
            No account yet? <EntryLink to="/sign-up">Sign up</EntryLink>
          </>
        )
      }
    >
      <Form form={form} submit="Sign in" wide>
        <TextInput
          label="Email"
          type="email"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          {...form.getInputProps("email")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          {...form.getInputProps("password")}
        />
      </Form>
      <Text size="sm">
        <EntryLink to="/reset">Forgot the password?</EntryLink>
      </Text>
    </Entry>
  );
}

interface ByLinkProps {
  link: string;
  answered: (answer: Answer) => void;
  instead: () => void;
}

/** The link is good once, so it is used once, by a click: mail scanners open links, too. */
function ByLink({ link, answered, instead }: ByLinkProps) {
  const form = useApiForm({
    initialValues: {},
    send: () => data(console.POST("/session/link", { body: { link } })),
    done: answered,
  });
  return (
    <Entry title="Sign in by a link" about="The link is good once, for 15 minutes.">
      <Form form={form} submit="Sign in" wide>
        {null}
      </Form>
      <EntryButton onClick={instead}>Sign in with a password instead</EntryButton>
    </Entry>
  );
}

function SecondStep({ again }: { again: () => void }) {
  const [recovery, setRecovery] = useState(false);
  const form = useApiForm({
    initialValues: { code: "" },
    send: (values) => data(console.POST("/session/second-step", { body: values })),
    done: begin,
  });
  const other = () => {
    form.setValues({ code: "" });
    form.clearErrors();
    setRecovery(!recovery);
  };
  return (
    <Entry
      title="Second step"
      about={
        recovery
          ? "Enter one of your recovery codes. Each is good once."
          : "Enter the six digits of your app."
      }
    >
      <Form form={form} submit="Continue" wide>
        {recovery ? (
          <TextInput label="Recovery code" autoFocus autoComplete="off" {...form.getInputProps("code")} />
        ) : (
          <TextInput
            label="Code"
            autoFocus
            autoComplete="one-time-code"
            inputMode="numeric"
            {...form.getInputProps("code")}
          />
        )}
      </Form>
      <Stack gap={6}>
        <EntryButton onClick={other}>{recovery ? "Use the app instead" : "Use a recovery code"}</EntryButton>
        <EntryButton onClick={again}>Begin again</EntryButton>
      </Stack>
    </Entry>
  );
}
