/** The list on the left. */
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { Link, useSearchParams } from "react-router";
import type { List } from "@/api/queries";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";
import { count } from "@/lib/numbers";
import classes from "./inbox.module.css";

type Item = components["schemas"]["InboxItemOut"];

export function Letters({ list, chosen }: { list: List<Item>; chosen: string | null }) {
  if (!list.data) {
    return (
      <Stack p="md" gap="md" aria-busy="true">
        {["a", "b", "c", "d"].map((key) => (
          <Skeleton key={key} h={52} />
        ))}
      </Stack>
    );
  }
  const { data, meta, links } = list.data;
  if (data.length === 0) {
    return (
      <Text size="sm" c="dimmed" p="md">
        No email fits.
      </Text>
    );
  }
  return (
    <>
      <ul className={classes.letters} aria-label="Emails" aria-busy={list.isPlaceholderData || undefined}>
        {data.map((item) => (
          <li key={item.id}>
            <Row item={item} chosen={item.id === chosen} />
          </li>
        ))}
      </ul>
      {(list.page > 1 || links.next) && (
        <Group justify="space-between" p="sm" component="nav" aria-label="Pages of the inbox">
          <Button
            size="compact-sm"
            variant="default"
            disabled={list.page === 1}
            onClick={() => list.setPage(list.page - 1)}
          >
            Newer
          </Button>
          <Text size="xs" c="dimmed">
            {count(meta.from ?? 0)}–{count(meta.to ?? 0)} of {count(meta.total ?? 0)}
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            disabled={!links.next}
            onClick={() => list.setPage(list.page + 1)}
          >
            Older
          </Button>
        </Group>
      )}
    </>
  );
}

function Row({ item, chosen }: { item: Item; chosen: boolean }) {
  const [parameters] = useSearchParams();
  const there = new URLSearchParams(parameters);
  there.set("email", item.id);
  return (
    <Link to={{ search: `?${there}` }} className={classes.letter} aria-current={chosen ? "true" : undefined}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm" fw={600} truncate>
          {item.subject || "No subject"}
        </Text>
        <Text size="xs" c="dimmed">
          <Time at={item.received_at} />
        </Text>
      </Group>
      <Text size="xs" c="dimmed" truncate>
        {item.from}
      </Text>
      <Text size="xs" c="dimmed" truncate>
        to {item.to}
      </Text>
    </Link>
  );
}
