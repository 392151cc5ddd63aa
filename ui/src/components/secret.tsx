/** What is shown once and never again: a password, recovery codes. To be copied or downloaded. */
import { Alert, Button, Code, CopyButton, Group, Stack } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload } from "@tabler/icons-react";
import { download } from "@/lib/download";

interface Props {
  /** Several stand below each other. */
  value: string;
  /** Of the file that is downloaded: "recovery-codes.txt". */
  file: string;
  /** What the file says besides. */
  heading?: string;
}

export function Secret({ value, file, heading }: Props) {
  const keep = () => download(file, heading ? `${heading}\n\n${value}\n` : `${value}\n`);
  return (
    <Stack gap="sm">
      <Code block fz="sm" p="md" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {value}
      </Code>
      <Group gap="sm">
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              size="sm"
              onClick={copy}
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            >
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" size="sm" onClick={keep} leftSection={<IconDownload size={16} />}>
          Download
        </Button>
      </Group>
      <Alert color="yellow" variant="light" p="sm">
        It is not shown again.
      </Alert>
    </Stack>
  );
}
