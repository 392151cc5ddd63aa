/** Mail of strangers, in a frame that can do nothing: no script runs in it, and nothing is loaded from elsewhere. */
import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconPhoto, IconPhotoOff } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { console, data } from "@/api/client";
import { Problem } from "@/components/problem";
import classes from "./email.module.css";

/** Of an email that is kept. */
export function Preview({ emailId }: { emailId: string }) {
  const [pictures, setPictures] = useState(false);
  return (
    <Frame page={`/v1/email/${emailId}/preview?images=${pictures}`} pictures={pictures} set={setPictures} />
  );
}

/**
 * Of what is being written. The page comes from the server here, too, with its own policy: a frame that is filled from
 * here would be held to ours, which forbids styles.
 */
export function DraftPreview({ html }: { html: string }) {
  const [pictures, setPictures] = useState(false);
  const page = useQuery({
    queryKey: ["preview", { html, pictures }],
    queryFn: async () => {
      const { id } = await data(console.POST("/previews", { body: { html } }));
      return `/console/previews/${id}?images=${pictures}`;
    },
    enabled: html.trim() !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0, // it can be opened for a minute only
    placeholderData: keepPreviousData,
  });
  if (!html.trim()) {
    return (
      <Text size="sm" c="dimmed">
        There is no HTML yet, so people see the text.
      </Text>
    );
  }
  if (page.error) return <Problem error={page.error} retry={() => page.refetch()} />;
  if (!page.data) return <Skeleton h="28rem" aria-busy="true" />;
  return <Frame page={page.data} pictures={pictures} set={setPictures} />;
}

interface Props {
  page: string;
  pictures: boolean;
  set: (pictures: boolean) => void;
}

function Frame({ page, pictures, set }: Props) {
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
          onClick={() => set(!pictures)}
        >
          {pictures ? "Without pictures" : "Load pictures"}
        </Button>
      </Group>
      <iframe title="Preview of the email" sandbox="" src={page} className={classes.frame} />
    </Stack>
  );
}
