/** The one way to show that a request failed: what happened, how to mend it, and the rule behind it. */
import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { ApiError } from "@/api/error";

type Catalogue = Record<string, { what: string; fix: string }>;

interface Props {
  error: Error;
  /** Without a frame: inside something that has one. */
  plain?: boolean;
  /** Offers to try again. */
  retry?: () => void;
}

export function Problem({ error, plain, retry }: Props) {
  const words = (
    <Stack gap={6}>
      <Text size="sm" fw={500}>
        {error.message}
      </Text>
      <Mend error={error} />
      {retry && (
        <Group>
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        </Group>
      )}
    </Stack>
  );
  if (plain) return words;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} role="alert">
      {words}
    </Alert>
  );
}

function Mend({ error }: { error: Error }) {
  const rule = error instanceof ApiError ? error.rule : null;
  const catalogue = useQuery({
    queryKey: ["catalogue"],
    queryFn: async () => (await import("@/generated/refusals.json")).default as Catalogue,
    staleTime: Number.POSITIVE_INFINITY,
    enabled: rule !== null,
  });
  const entry = rule === null ? undefined : catalogue.data?.[rule];
  if (rule !== null && entry) {
    return (
      <Text size="sm">
        {entry.fix}{" "}
        <Anchor href={`/refusals#${rule}`} target="_blank" inherit underline="always">
          {rule}
        </Anchor>
      </Text>
    );
  }
  if (error instanceof ApiError && error.status >= 500 && error.requestId) {
    return <Text size="sm">When you ask for help, quote {error.requestId}.</Text>;
  }
  return null;
}
