import {
  Code,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Copy } from "@/components/copy";
import { Form, useApiForm } from "@/components/form";
import type { components } from "@/generated/console";

type Input = components["schemas"]["SmarthostInput"];
type Lines = components["schemas"]["SmarthostLines"];

const TLS = [
  { value: "required", label: "Required" },
  { value: "opportunistic", label: "When the server offers it" },
  { value: "none", label: "Never" },
];

/** Routes are in the configuration file only, so this says what to write there. */
export function Smarthost() {
  const [lines, setLines] = useState<Lines | null>(null);
  const form = useApiForm<Input & Record<string, unknown>, Lines>({
    initialValues: { host: "", port: 587, tls: "required", username: "", password: "", domain: "*" },
    send: (values) => data(console.POST("/first-run/smarthost", { body: values })),
    done: setLines,
  });
  return (
    <Stack gap="md" maw={560}>
      <Text size="sm">
        Where port 25 stays closed, a smarthost takes the mail on port 587 and delivers it for you:
      </Text>
      <Form form={form} submit="Show what to write">
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput label="Server" placeholder="smtp.example.com" required {...form.getInputProps("host")} />
          <NumberInput
            label="Port"
            min={1}
            max={65535}
            hideControls
            required
            {...form.getInputProps("port")}
          />
          <TextInput label="Username" autoComplete="off" {...form.getInputProps("username")} />
          <PasswordInput label="Password" autoComplete="off" {...form.getInputProps("password")} />
          <Select label="TLS" data={TLS} allowDeselect={false} {...form.getInputProps("tls")} />
        </SimpleGrid>
      </Form>
      {lines && <Written {...lines} />}
    </Stack>
  );
}

function Written({ file, lines }: Lines) {
  return (
    <Stack gap={6} role="status">
      <Group justify="space-between" align="flex-end">
        <Text size="sm" flex="1 1 12rem" style={{ overflowWrap: "anywhere" }}>
          Put these lines at the end of {file}, then restart Postroom and check again:
        </Text>
        <Copy value={lines} what="the lines" />
      </Group>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {lines}
      </Code>
    </Stack>
  );
}
