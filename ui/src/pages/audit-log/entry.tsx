import { Modal, Stack, Text } from "@mantine/core";
import { type Column, Rows } from "@/components/table";
import { Time } from "@/components/time";
import { type Entry, words } from "./columns";

export function EntryDialog({ entry, close }: { entry: Entry | null; close: () => void }) {
  return (
    <Modal
      opened={entry !== null}
      onClose={close}
      size="xl"
      title={entry && `${words(entry.action)}: ${entry.object.name}`}
    >
      {entry && <Content entry={entry} />}
    </Modal>
  );
}

interface Change {
  field: string;
  before: string;
  after: string;
}

const COLUMNS: Column<Change>[] = [
  { header: "Field", cell: (change) => change.field.replaceAll("_", " ") },
  { header: "Before", cell: (change) => <Value text={change.before} /> },
  { header: "After", wide: true, cell: (change) => <Value text={change.after} /> },
];

function Content({ entry }: { entry: Entry }) {
  const { actor } = entry;
  const changes = changesOf(entry);
  return (
    <Stack>
      <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        By {actor.name || actor.kind}
        {actor.client && ` from ${actor.client}`}, <Time at={entry.created_at} is="exact" />
      </Text>
      {changes.length > 0 ? (
        <Rows columns={COLUMNS} rows={changes} rowKey={(change) => change.field} label="What changed" />
      ) : (
        <Text size="sm">No fields changed by it.</Text>
      )}
    </Stack>
  );
}

function changesOf({ before, after }: Entry): Change[] {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...fields].map((field) => ({
    field,
    before: written(before?.[field]),
    after: written(after?.[field]),
  }));
}

function written(value: unknown): string {
  if (value === undefined || value === null || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Strangers may have written it: text, whatever it is. */
function Value({ text }: { text: string }) {
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
      {text}
    </Text>
  );
}
