/** Addresses that are not sent to, on five lists. */
import { Button, Group, Select, Tabs, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDownload, IconPlus, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { useFilters } from "@/components/filters";
import { Page } from "@/components/page";
import { TypedFilter } from "@/components/typed-filter";
import { useMay } from "@/session/session";
import { Add } from "./add";
import { Entries } from "./entries";
import { exportOf, LISTS } from "./lists";
import classes from "./suppressions.module.css";

const MOST = 100;

export default function Suppressions() {
  const { values, set, any } = useFilters(["list", "search", "domain"]);
  const list = LISTS.find((one) => one.name === values.list) ?? LISTS[0];
  const [adding, toAdd] = useDisclosure();
  const may = useMay("manage-suppressions");
  const domains = useQuery({
    queryKey: ["domains", "names"],
    queryFn: () => body(v1.GET("/domains", { params: { query: { limit: MOST } } })),
  });
  const names = domains.data?.data.map((one) => ({ value: one.id, label: one.name })) ?? [];
  if (!list) return null;
  const buttons = (
    <>
      <Button
        component="a"
        href={exportOf(list.name, { search: values.search, domain_id: values.domain })}
        download
        variant="default"
        leftSection={<IconDownload size={17} />}
      >
        Export CSV
      </Button>
      {may && list.adds && (
        <Button leftSection={<IconPlus size={17} />} onClick={toAdd.open}>
          Add addresses
        </Button>
      )}
    </>
  );
  return (
    <Page title="Suppressions" about="Addresses that are not sent to." actions={buttons}>
      <Tabs
        value={list.name}
        onChange={(chosen) => set({ list: chosen ?? "", search: "" })}
        activateTabWithKeyboard={false}
      >
        <Tabs.List aria-label="Lists" className={classes.tabs}>
          {LISTS.map(({ name, label }) => (
            <Tabs.Tab key={name} value={name}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={list.name} pt="lg">
          <Group gap="sm" mb="md">
            <TypedFilter
              value={values.search}
              set={(search) => set({ search })}
              leftSection={<IconSearch size={16} />}
              placeholder="A part of the address"
              aria-label="Search for an address"
              flex="1 1 14rem"
              maw={{ sm: 320 }}
            />
            <Select
              aria-label="Domain"
              placeholder="Every domain"
              clearable
              searchable
              data={names}
              value={values.domain || null}
              onChange={(domain) => set({ domain: domain ?? "" })}
              w={{ base: "100%", sm: 200 }}
            />
          </Group>
          <Text size="sm" c="dimmed" mb="md">
            {list.about}
          </Text>
          <Entries
            key={list.name}
            list={list}
            search={values.search}
            domain={values.domain}
            filtered={any && Boolean(values.search || values.domain)}
            may={may}
          />
        </Tabs.Panel>
      </Tabs>
      <Add opened={adding} close={toAdd.close} list={list} domains={names} />
    </Page>
  );
}
