import { Button, MultiSelect, Radio, Stack, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { Secret } from "@/components/secret";
import { within } from "@/lib/fields";
import type { Domain } from "../domain";
import { type Access, SCOPES, type Scope, scopesOf } from "./scopes";

interface Props {
  domain: Domain;
  close: () => void;
}

export function NewToken({ domain, close }: Props) {
  const [made, setMade] = useState<{ name: string; accessToken: string } | null>(null);
  const form = useApiForm({
    initialValues: {
      name: "",
      access: "send" as Access,
      scopes: [] as Scope[],
      expires_at: "",
      allowed_addresses: [] as string[],
    },
    send: ({ name, access, scopes, expires_at, allowed_addresses }) =>
      data(
        v1.POST("/token", {
          body: {
            name,
            scopes: scopesOf(access, scopes),
            domain_id: domain.id,
            allowed_addresses,
            ...(expires_at && { expires_at: `${expires_at}T23:59:59Z` }),
          },
        }),
      ),
    refresh: [["tokens"], ["home"]],
    done: setMade,
  });
  if (made) {
    return (
      <Stack>
        <Secret
          value={made.accessToken}
          file="api-token.txt"
          heading={`API token ${made.name} of ${domain.name}`}
        />
        <Button onClick={close} w="fit-content">
          I have kept it
        </Button>
      </Stack>
    );
  }
  return (
    <Form form={form} submit="Generate" cancel={close}>
      <TextInput
        label="Name"
        description="The program that will use it."
        placeholder="Shop"
        required
        maxLength={50}
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Radio.Group label="Access" {...form.getInputProps("access")}>
        <Stack gap="xs" mt={6}>
          <Radio value="send" label="Send email" description="All that most programs need." />
          <Radio value="full" label="Everything" description="Whatever can be done for this domain." />
          <Radio value="custom" label="Chosen scopes" />
        </Stack>
      </Radio.Group>
      {form.values.access === "custom" && (
        <MultiSelect
          label="Scopes"
          required
          searchable
          data={SCOPES}
          {...form.getInputProps("scopes")}
          error={within(form.errors, "scopes")}
        />
      )}
      <TextInput
        type="date"
        label="Ends after"
        description="Empty: never."
        {...form.getInputProps("expires_at")}
      />
      <TagsInput
        label="May be used from"
        description="Addresses or networks, like 192.0.2.0/24; press Enter after each. None: anywhere."
        {...form.getInputProps("allowed_addresses")}
        error={within(form.errors, "allowed_addresses")}
      />
    </Form>
  );
}
