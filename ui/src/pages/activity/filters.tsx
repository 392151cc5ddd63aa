/** The filters of the list; those that are used less wait behind a button. */
import { Button, Collapse, Group, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { TypedFilter } from "@/components/typed-filter";
import type { Filters } from "./search";
import { EVENT_CHOICES, STATE_CHOICES } from "./states";

const MORE = ["event", "tag", "from", "to", "message"] as const;
const MOST_DOMAINS = 100;

interface Props {
  values: Filters;
  set: (changed: Partial<Filters>) => void;
  clear: () => void;
  any: boolean;
}

export function EmailFilters({ values, set, clear, any }: Props) {
  const [opened, more] = useDisclosure(MORE.some((name) => values[name] !== ""));
  return (
    <Stack gap="sm" role="search" aria-label="Filters of emails">
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        <TypedFilter
          label="Recipient"
          placeholder="ada@ or example.org"
          value={values.recipient}
          set={(recipient) => set({ recipient })}
        />
        <TypedFilter
          label="Subject"
          placeholder="3 letters or more"
          value={values.subject}
          set={(subject) => set({ subject })}
        />
        <Select
          label="State"
          placeholder="Any"
          clearable
          data={STATE_CHOICES}
          value={values.state || null}
          onChange={(state) => set({ state: state ?? "" })}
        />
        <DomainFilter value={values.domain} set={(domain) => set({ domain })} />
      </SimpleGrid>
      <Collapse expanded={opened}>
        <SimpleGrid cols={{ base: 2, md: 5 }} spacing="sm">
          <Select
            label="Event"
            placeholder="Any"
            clearable
            data={EVENT_CHOICES}
            value={values.event || null}
            onChange={(event) => set({ event: event ?? "" })}
          />
          <TypedFilter label="Tag" value={values.tag} set={(tag) => set({ tag })} />
          <Day label="From day" value={values.from} set={(from) => set({ from })} />
          <Day label="To day" value={values.to} set={(to) => set({ to })} />
          <TypedFilter label="Message ID" value={values.message} set={(message) => set({ message })} />
        </SimpleGrid>
      </Collapse>
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconAdjustmentsHorizontal size={15} />}
          onClick={more.toggle}
          aria-expanded={opened}
        >
          {opened ? "Fewer filters" : "More filters"}
        </Button>
        {any && (
          <Button size="xs" variant="subtle" onClick={clear}>
            Clear the filters
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Day({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  return (
    <TextInput type="date" label={label} value={value} onChange={(event) => set(event.currentTarget.value)} />
  );
}

function DomainFilter({ value, set }: { value: string; set: (value: string) => void }) {
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST_DOMAINS } } })),
  });
  return (
    <Select
      label="Domain"
      placeholder="Any"
      clearable
      searchable
      data={domains.data?.data.map((domain) => ({ value: domain.id, label: domain.name })) ?? []}
      value={value || null}
      onChange={(domain) => set(domain ?? "")}
    />
  );
}
