import { Button, Stack, Text } from "@mantine/core";
import { IconDownload, IconPaperclip } from "@tabler/icons-react";
import { size } from "@/lib/numbers";
import type { Content } from "./content";
import classes from "./email.module.css";

interface Props {
  emailId: string;
  attachments: Content["attachments"];
}

export function Attachments({ emailId, attachments }: Props) {
  return (
    <ul className={classes.files}>
      {attachments.map((file) => (
        <li key={file.id}>
          <IconPaperclip size={18} style={{ flexShrink: 0 }} />
          <Stack gap={0} flex={1} miw={0}>
            <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
              {file.filename || "Without a name"}
            </Text>
            <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
              {[file.type, size(file.size), file.disposition === "inline" && "shown in the email"]
                .filter(Boolean)
                .join(" · ")}
            </Text>
          </Stack>
          <Button
            component="a"
            href={`/v1/email/${emailId}/attachments/${file.id}`}
            download
            size="xs"
            variant="default"
            leftSection={<IconDownload size={15} />}
            aria-label={`Download ${file.filename || "the attachment"}`}
          >
            Download
          </Button>
        </li>
      ))}
    </ul>
  );
}
