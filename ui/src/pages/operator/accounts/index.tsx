/** All accounts of the installation, for its operators. */
import { Anchor, Button, Group, Select } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { Link } from "react-router";
import { body, console } from "@/api/client";
import { useList } from "@/api/queries";
import { Empty } from "@/components/empty";
import { useFilters } from "@/components/filters";
import { Page } from "@/components/page";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { TypedFilter } from "@/components/typed-filter";
import { type Account, usage, usePlanNames } from "./account";
import { AccountChip } from "./chip";
import { NewAccount } from "./new-account";

const STATES: { value: Account["state"]; label: string }[] = [
  { value: "unapproved", label: "Not approved" },
  { value: "approved", label: "Approved" },
  { value: "suspended", label: "Suspended" },
];

export default function Accounts() {
  const { values, set } = useFilters(["search", "state", "plan"]);
  const [making, make] = useDisclosure();
  const plans = usePlanNames();
  const wanted = {
    search: values.search || undefined,
    state: STATES.find((one) => one.value === values.state)?.value,
    plan: values.plan || undefined,
  };
  const list = useList(["accounts", wanted], (page) =>
    body(console.GET("/operator/accounts", { params: { query: { page, ...wanted } } })),
  );
  return (
    <Page
      title="Accounts"
      about="Everybody who sends through this installation."
      actions={
        <Button leftSection={<IconPlus size={17} />} onClick={make.open}>
          Add an account
        </Button>
      }
    >
      <Group gap="sm">
        <TypedFilter
          value={values.search}
          set={(search) => set({ search })}
          leftSection={<IconSearch size={16} />}
          placeholder="Name or id"
          aria-label="Search accounts"
          flex="1 1 14rem"
          maw={{ sm: 320 }}
        />
        <Select
          aria-label="State"
          placeholder="Every state"
          clearable
          data={STATES}
          value={values.state || null}
          onChange={(value) => set({ state: value ?? "" })}
          w={{ base: "100%", sm: 160 }}
        />
        {plans.length > 0 && (
          <Select
            aria-label="Plan"
            placeholder="Every plan"
            clearable
            data={plans}
            value={values.plan || null}
            onChange={(value) => set({ plan: value ?? "" })}
            w={{ base: "100%", sm: 160 }}
          />
        )}
      </Group>
      <ListTable
        list={list}
        label="Accounts"
        rowKey={(account) => account.id}
        columns={COLUMNS}
        empty={<Empty title="No such account">Search for less, or add one.</Empty>}
      />
      <NewAccount opened={making} close={make.close} plans={plans} />
    </Page>
  );
}

const COLUMNS: Column<Account>[] = [
  {
    header: "Name",
    wide: true,
    cell: (account) => (
      <Anchor
        component={Link}
        to={`/operator/accounts/${account.id}`}
        size="sm"
        fw={550}
        style={{ overflowWrap: "anywhere" }}
      >
        {account.name}
      </Anchor>
    ),
  },
  { header: "State", cell: (account) => <AccountChip state={account.state} /> },
  { header: "Plan", cell: (account) => account.plan || "–" },
  { header: "Today", right: true, cell: usage },
  { header: "Since", cell: (account) => <Time at={account.created_at} /> },
];
