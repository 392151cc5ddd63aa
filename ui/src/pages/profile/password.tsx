import { PasswordInput, SimpleGrid } from "@mantine/core";
import { console, data } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { notifyDone } from "@/components/notify";
import { Section } from "@/components/section";
import { renew, useSession } from "@/session/session";

export function Password() {
  const { user } = useSession();
  const form = useApiForm({
    initialValues: { old_password: "", password: "" },
    send: (values) =>
      data(
        console.PUT("/profile/password", { body: { ...values, old_password: values.old_password || null } }),
      ),
    refresh: [["sessions"]],
    done: (session) => {
      renew(session);
      form.reset();
      notifyDone("The password is changed. All other sessions have ended.");
    },
  });
  const about = user.has_password
    ? "A change signs you out everywhere else, and a mail tells you of it."
    : "You came by a link and have no password yet.";
  return (
    <Section title="Password" about={about}>
      <Form form={form} submit={user.has_password ? "Change the password" : "Set the password"}>
        <input type="text" name="username" autoComplete="username" value={user.email} readOnly hidden />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {user.has_password && (
            <PasswordInput
              label="Present password"
              autoComplete="current-password"
              required
              {...form.getInputProps("old_password")}
            />
          )}
          <PasswordInput
            label="New password"
            description={user.has_password ? undefined : "At least 10 characters"}
            autoComplete="new-password"
            required
            {...form.getInputProps("password")}
          />
        </SimpleGrid>
      </Form>
    </Section>
  );
}
