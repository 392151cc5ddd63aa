/** What can be said of an SMTP user. The limits are for who needs them: everything works without. */
import {
  Button,
  Collapse,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import type { ApiForm } from "@/components/form";
import { within } from "@/lib/fields";
import type { Values } from "./user";

const MOST = 100;
const LIMITS = ["from_domains", "allowed_addresses", "hourly_cap", "daily_cap", "stream", "expires_at"];

interface Props {
  form: ApiForm<Values>;
  /** Whether the limits are open from the beginning. */
  limits?: boolean;
}

export function Fields({ form, limits = false }: Props) {
  const [opened, { toggle }] = useDisclosure(limits);
  const wrong = LIMITS.some((name) => within(form.errors, name) !== undefined);
  const shown = opened || wrong;
  return (
    <>
      <TextInput
        label="Name"
        description="The program that will use it. It tells you later who sent what."
        placeholder="Shop"
        required
        maxLength={50}
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Button
        variant="subtle"
        size="compact-sm"
        w="fit-content"
        leftSection={shown ? <IconChevronDown size={16} /> : <IconChevronRight size={16} />}
        aria-expanded={shown}
        onClick={toggle}
      >
        Advanced
      </Button>
      <Collapse expanded={shown}>
        <Limits form={form} />
      </Collapse>
    </>
  );
}

function Limits({ form }: { form: ApiForm<Values> }) {
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST } } })),
  });
  return (
    <Stack gap="md">
      <MultiSelect
        label="May send from"
        description="None: every verified domain of the account."
        searchable
        data={domains.data?.data.map((domain) => ({ value: domain.id, label: domain.name })) ?? []}
        {...form.getInputProps("from_domains")}
        error={within(form.errors, "from_domains")}
      />
      <TagsInput
        label="May log in from"
        description="Addresses or networks, like 192.0.2.0/24; press Enter after each. None: anywhere."
        {...form.getInputProps("allowed_addresses")}
        error={within(form.errors, "allowed_addresses")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <NumberInput
          label="Most emails an hour"
          placeholder="No cap"
          min={0}
          allowDecimal={false}
          {...form.getInputProps("hourly_cap")}
        />
        <NumberInput
          label="Most emails a day"
          placeholder="No cap"
          min={0}
          allowDecimal={false}
          {...form.getInputProps("daily_cap")}
        />
        <Select
          label="Stream"
          allowDeselect={false}
          data={[
            { value: "transactional", label: "Transactional" },
            { value: "broadcast", label: "Broadcast" },
          ]}
          {...form.getInputProps("stream")}
        />
        <TextInput
          type="date"
          label="Ends after"
          {...form.getInputProps("expires_on")}
          error={within(form.errors, "expires_at")}
        />
      </SimpleGrid>
      <Switch
        label="Refuse suppressed recipients"
        description="With a 550 at once, instead of accepting them and sending nothing."
        {...form.getInputProps("refuse_suppressed", { type: "checkbox" })}
      />
    </Stack>
  );
}
