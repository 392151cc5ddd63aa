import { Button, Stack, Text } from "@mantine/core";
import type { Column } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/v1";

export type Entry = components["schemas"]["EntryOut"];

/** "smtp_user.updated" -> "SMTP user updated". */
export function words(action: string): string {
  const text = action.replaceAll("_", " ").replace(".", " ").replace("smtp", "SMTP");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A list of suppressed addresses is named as the API calls it. */
function named({ action, object }: Entry): string {
  return action.startsWith("suppression.") ? object.name.replaceAll("_", " ") : object.name;
}

export function columns(show: (entry: Entry) => void): Column<Entry>[] {
  return [
    {
      header: "What",
      wide: true,
      cell: (entry) => (
        <Stack gap={0} style={{ overflowWrap: "anywhere" }}>
          <Text size="sm" fw={550}>
            {words(entry.action)}
          </Text>
          <Text size="sm" c="dimmed">
            {named(entry)}
          </Text>
        </Stack>
      ),
    },
    {
      header: "By",
      cell: ({ actor }) => (
        <Stack gap={0} maw={240}>
          <Text size="sm" truncate>
            {actor.name || actor.kind}
          </Text>
          {actor.client && (
            <Text size="xs" c="dimmed">
              {actor.client}
            </Text>
          )}
        </Stack>
      ),
    },
    { header: "When", cell: (entry) => <Time at={entry.created_at} /> },
    {
      header: "",
      cell: (entry) => (
        <Button
          size="xs"
          variant="default"
          onClick={() => show(entry)}
          aria-label={`Details: ${words(entry.action)} ${entry.object.name}`}
        >
          Details
        </Button>
      ),
    },
  ];
}
