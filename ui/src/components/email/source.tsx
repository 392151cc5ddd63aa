import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { body, v1 } from "@/api/client";
import { Problem } from "@/components/problem";
import { size as words } from "@/lib/numbers";
import { Verbatim } from "./verbatim";

const SHOWN = 200_000; // characters; a browser is slow with more

/** The message as it was before our own header fields and signature. */
export function Source({ emailId, size }: { emailId: string; size: number }) {
  const source = useQuery({
    queryKey: ["email-source", emailId],
    queryFn: () =>
      body(
        v1.GET("/email/{email_id}/source", { params: { path: { email_id: emailId } }, parseAs: "text" }),
      ) as Promise<string>,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (source.error) return <Problem error={source.error} retry={() => source.refetch()} />;
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {words(size)}
          {source.data && source.data.length > SHOWN && ", of which the beginning is shown"}
        </Text>
        <DownloadSource emailId={emailId} />
      </Group>
      {source.data === undefined ? (
        <Skeleton h={300} />
      ) : (
        <Verbatim label="Source of the email">{source.data.slice(0, SHOWN)}</Verbatim>
      )}
    </Stack>
  );
}

export function DownloadSource({ emailId }: { emailId: string }) {
  return (
    <Button
      component="a"
      href={`/v1/email/${emailId}/source`}
      download
      size="xs"
      variant="default"
      leftSection={<IconDownload size={15} />}
    >
      Download
    </Button>
  );
}
