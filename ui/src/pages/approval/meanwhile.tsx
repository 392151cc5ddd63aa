import { List } from "@mantine/core";
import { Section } from "@/components/section";

/** What an account may do that is not approved; see docs/accounts.md. */
export function Meanwhile() {
  return (
    <Section title="What works meanwhile" about="Set everything up and try it; only the world has to wait.">
      <List size="sm" spacing={6}>
        <List.Item>
          From a sandbox domain to anybody: nothing leaves, the mail lies in the sandbox inbox.
        </List.Item>
        <List.Item>
          Over the API from your verified domain to addresses at domains that this account has verified, at
          most 10 To, 1 Cc and 1 Bcc in a message.
        </List.Item>
        <List.Item>Adding domains, SMTP users, tokens, templates and people.</List.Item>
      </List>
    </Section>
  );
}
