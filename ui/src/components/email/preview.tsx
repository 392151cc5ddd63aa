/** Mail of strangers, in a frame that can do nothing: no script runs in it, and nothing is loaded from elsewhere. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconPhoto, IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import classes from "./email.module.css";

export function Preview({ emailId }: { emailId: string }) {
  const [pictures, setPictures] = useState(false);
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed" flex="1 1 14rem">
          {pictures
            ? "Pictures are loaded from elsewhere: who sent the email may see that."
            : "Scripts never run here. Pictures from elsewhere are not loaded."}
        </Text>
        <Button
          size="xs"
          variant="default"
          leftSection={pictures ? <IconPhotoOff size={15} /> : <IconPhoto size={15} />}
          onClick={() => setPictures(!pictures)}
        >
          {pictures ? "Without pictures" : "Load pictures"}
        </Button>
      </Group>
      <iframe
        title="Preview of the email"
        sandbox=""
        src={`/v1/email/${emailId}/preview?images=${pictures}`}
        className={classes.frame}
      />
    </Stack>
  );
}
