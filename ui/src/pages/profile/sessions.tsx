/** Where one is signed in, and ending that. */
import { Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { body, console, data } from "@/api/client";
import { useChange } from "@/api/queries";
import { confirm } from "@/components/confirm";
import { notifyDone } from "@/components/notify";
import { Problem } from "@/components/problem";
import { Section } from "@/components/section";
import { State } from "@/components/state";
import { type Column, Rows } from "@/components/table";
import { Time } from "@/components/time";
import type { components } from "@/generated/console";
import { browserName } from "@/lib/browser";
import { end } from "@/session/session";

type Session = components["schemas"]["SessionShort"];

export function Sessions() {
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: () => data(console.GET("/sessions")) });
  const everywhere = useChange(() => body(console.DELETE("/sessions")), { done: end });
  const one = useChange(
    (session_id: string) =>
      body(console.DELETE("/sessions/{session_id}", { params: { path: { session_id } } })),
    { refresh: [["sessions"]], done: () => notifyDone("Signed out there.") },
  );
  const ask = () =>
    confirm({
      title: "Sign out everywhere?",
      children: "All your sessions end, this one too.",
      confirm: "Sign out everywhere",
      onConfirm: () => everywhere.mutate(undefined),
    });
  return (
    <Section
      flush
      title="Sessions"
      about="Where you are signed in."
      actions={
        <Button variant="default" onClick={ask} loading={everywhere.isPending}>
          Sign out everywhere
        </Button>
      }
    >
      {sessions.error && !sessions.data ? (
        <Problem error={sessions.error} retry={() => sessions.refetch()} />
      ) : (
        <Rows label="Sessions" rows={sessions.data} rowKey={(row) => row.id} columns={columns(one.mutate)} />
      )}
    </Section>
  );
}

function columns(signOut: (id: string) => void): Column<Session>[] {
  return [
    {
      header: "Browser",
      wide: true,
      cell: (row) => (
        <Group gap="xs">
          <Text size="sm" fw={500}>
            {browserName(row.user_agent)}
          </Text>
          {row.current && <State kind="good">This one</State>}
        </Group>
      ),
    },
    { header: "Address", cell: (row) => row.client },
    { header: "Signed in", cell: (row) => <Time at={row.created_at} /> },
    { header: "Last used", cell: (row) => <Time at={row.last_used_at} /> },
    {
      header: "",
      cell: (row) =>
        !row.current && (
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => signOut(row.id)}
            aria-label={`Sign out ${browserName(row.user_agent)} at ${row.client}`}
          >
            Sign out
          </Button>
        ),
    },
  ];
}
