import { Button, MultiSelect, Radio, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { body, data, v1 } from "@/api/client";
import { Form, useApiForm } from "@/components/form";
import { Secret } from "@/components/secret";
import type { components } from "@/generated/v1";
import { within } from "@/lib/fields";
import { useSession } from "@/session/session";
import { type Access, type Scope, scopesFor, scopesOf } from "./scopes";
import type { Bound } from "./token";

interface Props {
  /** Absent: there is a choice. */
  domain?: Bound;
  close: () => void;
}

type Created = components["schemas"]["CreatedToken"];

const MOST = 100;

export function NewToken({ domain, close }: Props) {
  const [made, setMade] = useState<Created | null>(null);
  const form = useApiForm({
    initialValues: {
      name: "",
      domain_id: domain?.id ?? "",
      access: "send" as Access,
      scopes: [] as Scope[],
      expires_at: "",
      allowed_addresses: [] as string[],
    },
    send: ({ name, domain_id, access, scopes, expires_at, allowed_addresses }) =>
      data(
        v1.POST("/token", {
          body: {
            name,
            scopes: scopesOf(access, scopes, !domain_id),
            ...(domain_id && { domain_id }),
            allowed_addresses,
            ...(expires_at && { expires_at: `${expires_at}T23:59:59Z` }),
          },
        }),
      ),
    refresh: [["tokens"], ["home"]],
    done: setMade,
  });
  if (made) return <Kept made={made} close={close} />;
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
      {!domain && <For {...form.getInputProps("domain_id")} />}
      <Radio.Group label="Access" {...form.getInputProps("access")}>
        <Stack gap="xs" mt={6}>
          <Radio value="send" label="Send email" description="All that most programs need." />
          <Radio value="full" label="Everything" description="Whatever can be done there." />
          <Radio value="custom" label="Chosen scopes" />
        </Stack>
      </Radio.Group>
      {form.values.access === "custom" && (
        <MultiSelect
          label="Scopes"
          required
          searchable
          data={scopesFor(!form.values.domain_id)}
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

function Kept({ made, close }: { made: Created; close: () => void }) {
  const where = made.domain ? ` of ${made.domain.name}` : "";
  return (
    <Stack>
      <Secret value={made.accessToken} file="api-token.txt" heading={`API token ${made.name}${where}`} />
      <Button onClick={close} w="fit-content">
        I have kept it
      </Button>
    </Stack>
  );
}

interface Field {
  value?: string;
  onChange: (domainId: string) => void;
  error?: ReactNode;
}

/** Who is limited to some domains makes tokens for those only. */
function For({ value, onChange, error }: Field) {
  const session = useSession();
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST } } })),
  });
  const named = domains.data?.data.map((one) => ({ value: one.id, label: one.name })) ?? [];
  const all = { value: "", label: "The whole account" };
  return (
    <Select
      label="For"
      description="A token for one domain sends from that one, and sees nothing of the others."
      searchable
      allowDeselect={false}
      required={session.domains !== null}
      data={session.domains === null ? [all, ...named] : named}
      value={value ?? ""}
      onChange={(chosen) => onChange(chosen ?? "")}
      error={error}
    />
  );
}
