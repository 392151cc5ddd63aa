import {
  Button,
  Group,
  Paper,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Tabs,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconChecklist, IconSend } from "@tabler/icons-react";
import { DraftPreview } from "@/components/email/preview";
import type { ApiForm } from "@/components/form";
import { MakeSandbox } from "@/components/make-sandbox";
import { PageButton } from "@/components/page-button";
import { Problem } from "@/components/problem";
import { type Draft, type Sender, senderOf } from "./draft";

interface Props {
  form: ApiForm<Draft>;
  /** Absent while they are asked for. */
  senders: Sender[] | undefined;
  check: () => void;
  checking: boolean;
}

export function Editor({ form, senders, check, checking }: Props) {
  return (
    <Paper p="lg" component="form" onSubmit={form.submit} noValidate aria-label="Email">
      <Stack gap="md">
        {senders ? <From form={form} senders={senders} /> : <Skeleton h={60} />}
        <TextInput
          label="Name of the sender"
          description="Shown before the address; it may be empty."
          {...form.getInputProps("name")}
        />
        <TextInput
          label="To"
          description="Several are separated by commas."
          {...form.getInputProps("to")}
          error={problem(form, "to")}
        />
        <TextInput label="Subject" {...form.getInputProps("subject")} />
        <Body form={form} />
        {form.problem && <Problem error={form.problem} />}
        <Group gap="sm">
          <Button
            variant="default"
            leftSection={<IconChecklist size={16} />}
            onClick={check}
            loading={checking}
            disabled={!senders}
          >
            Check it
          </Button>
          <Button
            type="submit"
            leftSection={<IconSend size={16} />}
            loading={form.pending}
            disabled={!senders?.length}
          >
            Send the test
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function From({ form, senders }: { form: ApiForm<Draft>; senders: Sender[] }) {
  const chosen = senderOf(form.values, senders);
  if (chosen === undefined) {
    return (
      <Stack gap="xs">
        <Text size="sm">
          An email needs a sender: a domain of yours, or a sandbox domain, from which nothing leaves.
        </Text>
        <Group>
          <PageButton to="/domains" main>
            Add a domain
          </PageButton>
          <MakeSandbox />
        </Group>
      </Stack>
    );
  }
  return (
    <Stack gap={4}>
      <SimpleGrid cols={{ base: 1, xs: chosen.kind === "domain" ? 2 : 1 }} spacing="sm">
        {chosen.kind === "domain" && (
          <TextInput label="Before the @" {...form.getInputProps("local")} error={problem(form, "from")} />
        )}
        <Select
          label="From"
          data={choices(senders)}
          allowDeselect={false}
          value={chosen.id}
          onChange={(id) => form.setFieldValue("sender", id ?? "")}
          error={chosen.kind === "identity" ? problem(form, "from") : undefined}
        />
      </SimpleGrid>
      {chosen.note && (
        <Text size="sm" c="dimmed">
          {chosen.note}
        </Text>
      )}
    </Stack>
  );
}

function choices(senders: Sender[]) {
  return senders.map((one) => ({
    value: one.id,
    label: one.kind === "domain" ? `@${one.value}` : one.value,
    disabled: !one.usable,
  }));
}

/** What the server says of `to.0.email` stands at `to`. */
function problem(form: ApiForm<Draft>, field: string) {
  const path = Object.keys(form.errors).find((one) => one === field || one.startsWith(`${field}.`));
  return path && form.errors[path];
}

function Body({ form }: { form: ApiForm<Draft> }) {
  const looks = {
    autosize: true,
    minRows: 10,
    maxRows: 24,
    spellCheck: false,
    styles: { input: { fontFamily: "var(--mantine-font-family-monospace)" } },
  } as const;
  return (
    <Tabs defaultValue="html" keepMounted={false}>
      <Tabs.List mb="sm">
        <Tabs.Tab value="html">HTML</Tabs.Tab>
        <Tabs.Tab value="text">Text</Tabs.Tab>
        <Tabs.Tab value="preview">Preview</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="html">
        <Textarea aria-label="HTML" {...looks} {...form.getInputProps("html")} />
      </Tabs.Panel>
      <Tabs.Panel value="text">
        <Textarea aria-label="Text" {...looks} {...form.getInputProps("text")} />
      </Tabs.Panel>
      <Tabs.Panel value="preview">
        <DraftPreview html={form.values.html} />
      </Tabs.Panel>
    </Tabs>
  );
}
