import { ActionIcon, Stack, Text, Tooltip } from "@mantine/core";
import { IconMoodSmile, IconTrash } from "@tabler/icons-react";
import { useChange, useList } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { Empty } from "@/components/empty";
import { notifyDone } from "@/components/notify";
import { type Column, ListTable } from "@/components/table";
import { Time } from "@/components/time";
import { ask, type LISTS, remove, type Suppressed } from "./lists";

interface Props {
  list: (typeof LISTS)[number];
  search: string;
  domain: string;
  filtered: boolean;
  /** Whether the person may take somebody off. */
  may: boolean;
}

const A_PAGE = 25;

export function Entries({ list, search, domain, filtered, may }: Props) {
  const { name } = list;
  const rows = useList(["suppressions", name, { search, domain }], (page) =>
    ask(name, { page, limit: A_PAGE, search: search || undefined, domain_id: domain || undefined }),
  );
  const takeOff = useChange((one: Suppressed) => remove(name, [one.id]), {
    refresh: [["suppressions"]],
    done: (_, one) => notifyDone(`${one.address} may be sent to again.`),
  });
  const off = (one: Suppressed) =>
    confirm({
      title: `Take ${one.address} off?`,
      children: "It may be sent to again at once. Other lists can still hold it back.",
      confirm: "Take it off",
      onConfirm: () => takeOff.mutate(one),
    });
  return (
    <ListTable
      list={rows}
      label={list.label}
      rowKey={(one) => one.id}
      columns={columns(list, may ? off : null)}
      empty={<Nothing list={list} filtered={filtered} />}
    />
  );
}

function Nothing({ list, filtered }: Pick<Props, "list" | "filtered">) {
  if (filtered) return <Empty title="No such address here">It may be on another of the lists.</Empty>;
  return (
    <Empty title="Nobody is on this list" icon={IconMoodSmile}>
      {list.adds
        ? "Postroom fills it by itself. Bring along what you know from another service: Add addresses."
        : "Postroom fills it by itself."}
    </Empty>
  );
}

function columns(list: Props["list"], off: ((one: Suppressed) => void) | null): Column<Suppressed>[] {
  const told: Column<Suppressed>[] = [
    { header: "Address", wide: true, cell: (one) => <Address one={one} /> },
    { header: "For", cell: (one) => one.domain ?? "All domains" },
    { header: "Since", cell: (one) => <Time at={one.since} /> },
  ];
  if (list.name === "on-hold-list") {
    told.push({ header: "Until", cell: (one) => (one.until ? <Time at={one.until} /> : "–") });
  }
  if (off) told.push({ header: "", cell: (one) => <TakeOff one={one} off={off} /> });
  return told;
}

/** Strangers have written the address and the reason. */
function Address({ one }: { one: Suppressed }) {
  return (
    <Stack gap={0} style={{ overflowWrap: "anywhere" }}>
      <Text size="sm" fw={550}>
        {one.address}
      </Text>
      {one.reason && (
        <Text size="sm" c="dimmed">
          {one.reason}
        </Text>
      )}
    </Stack>
  );
}

function TakeOff({ one, off }: { one: Suppressed; off: (one: Suppressed) => void }) {
  return (
    <Tooltip label="Take it off">
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        onClick={() => off(one)}
        aria-label={`Take ${one.address} off`}
      >
        <IconTrash size={17} />
      </ActionIcon>
    </Tooltip>
  );
}
